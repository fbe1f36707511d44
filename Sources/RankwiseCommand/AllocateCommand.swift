import ArgumentParser
import Diagnostics
import Foundation
import Safetensors
import Training

/// `rankwise allocate`.
struct AllocateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocate",
        abstract: "Replay recorded weights and gradients through the allocator.",
        discussion: """
            The trace is a safetensors file with step.00000.MODULE.lora_A|lora_B|lora_E.weight|grad and, in its metadata
            under 'adalora', a JSON object with init_r, target_r, tinit, tfinal, deltaT, total_step, beta1, beta2. The output is
            JSON: for each step the budget, which triplets stay (null where no decision falls), and their scores.
            """)

    @Option(help: "The trace, a safetensors file.")
    var trace: String

    @Option(help: "Where the decisions go, a JSON file; - for standard output.")
    var output: String

    func run() throws {
        try reportingErrors {
            let contents = try AllocationTrace(path: trace).replay()
            if output == "-" {
                try writeToStandardOutput(contents + [UInt8(ascii: "\n")])
            } else {
                try writeOutput(contents + [UInt8(ascii: "\n")], to: output)
            }
        }
    }
}

/// Writes a file that the user named, whole or not at all.
func writeOutput(_ contents: Data, to path: String) throws(TrainingError) {
    do {
        try DurableFile.replace(path, with: contents)
    } catch {
        throw TrainingError(
            .inputOutput,
            "\(path): cannot be written (\(plainReason(error))); check that its folder exists and may be written")
    }
}
