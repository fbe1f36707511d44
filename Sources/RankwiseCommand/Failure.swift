import ArgumentParser
import Diagnostics
import Foundation

/// The exit code that belongs to an error of any module.
func exitStatus(of error: any Error) -> Int32 {
    ((error as? any Diagnosis)?.kind ?? .computation).exitCode
}

/// Runs the work of a command that needs no other process: an error becomes one line and its exit code.
func reportingErrors(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        FileHandle.standardError.write(Data("rankwise: \(error)\n".utf8))
        throw ExitCode(exitStatus(of: error))
    }
}
