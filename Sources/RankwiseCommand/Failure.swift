import AdaLoRA
import ArgumentParser
import Checkpointing
import Foundation
import LinearAlgebra
import MessagePassing
import Models
import PEFTFormat
import Safetensors
import Text
import Training

/// Exit codes, after BSD's sysexits.
enum ExitStatus {
    static let usage: Int32 = 64
    static let badData: Int32 = 65
    static let missingInput: Int32 = 66
    static let `internal`: Int32 = 70
    static let inputOutput: Int32 = 74

    /// The exit code that belongs to an error of any module.
    static func code(for error: any Error) -> Int32 {
        switch error {
        case let error as TrainingError: code(for: error.kind)
        case let error as ConfigurationError:
            switch error.kind {
            case .missingInput: missingInput
            case .usage: usage
            case .badData: badData
            }
        case let error as ModelError:
            switch error.kind {
            case .missingInput: missingInput
            case .usage: usage
            case .badData: badData
            }
        case let error as CheckpointError:
            switch error.kind {
            case .missingInput: missingInput
            case .badData: badData
            case .inputOutput: inputOutput
            }
        case let error as SafetensorsError:
            switch error.kind {
            case .missingInput: missingInput
            case .badData: badData
            case .inputOutput: inputOutput
            }
        case let error as PEFTFormatError:
            switch error.kind {
            case .missingInput: missingInput
            case .usage: usage
            case .badData: badData
            case .inputOutput: inputOutput
            }
        case let error as TextError:
            switch error.kind {
            case .missingInput: missingInput
            case .usage: usage
            case .badData: badData
            case .inputOutput: inputOutput
            }
        case is InputError: badData
        case is AdaLoRAError, is ValidationError: usage
        default: `internal`
        }
    }

    private static func code(for kind: TrainingError.Kind) -> Int32 {
        switch kind {
        case .usage: usage
        case .badData: badData
        case .missingInput: missingInput
        case .inputOutput: inputOutput
        case .computation: `internal`
        }
    }
}

/// Runs the work of a command that needs no other process: an error becomes one line and its exit code.
func reportingErrors(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        FileHandle.standardError.write(Data("rankwise: \(error)\n".utf8))
        throw ExitCode(ExitStatus.code(for: error))
    }
}
