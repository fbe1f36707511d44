import ArgumentParser
import Diagnostics
import Foundation
import Training

/// The exit code that belongs to an error of any module.
func exitStatus(of error: any Error) -> Int32 {
    ((error as? any Diagnosis)?.kind ?? .computation).exitCode
}

/// Runs the work of a command that needs no other process: an error becomes one line and its exit code.
func reportingErrors(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        tellUser("\(error)")
        throw ExitCode(exitStatus(of: error))
    }
}

/// Writes to standard output at once.
///
/// - Throws: ``TrainingError``, where `print` would go on without a word.
func writeToStandardOutput(_ contents: Data) throws(TrainingError) {
    do {
        try FileHandle.standardOutput.write(contentsOf: contents)
    } catch {
        throw TrainingError(
            .inputOutput, "standard output cannot be written (\(plainReason(error))); check where it goes")
    }
}
