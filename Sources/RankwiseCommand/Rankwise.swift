import ArgumentParser
import Diagnostics
import Foundation

/// The command `rankwise`.
@main
struct Rankwise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rankwise",
        abstract: "Fine-tunes pretrained networks with AdaLoRA across the processes of an MPI job.",
        discussion: """
            A run starts from a configuration file and ends with an adapter that Hugging Face PEFT loads:

              mpirun -np 2 rankwise train --config run.yaml
              rankwise evaluate --adapter runs/reviews --data test.tsv
              echo 'A wonderful film.' | rankwise predict --adapter runs/reviews
              rankwise export runs/reviews --format lora --output reviews-lora

            Exit codes: 0 done, 64 usage or configuration, 65 bad data, 66 missing input, 70 internal, 74 input or output,
            75 stopped on request (continue with --resume).
            """,
        version: "0.1.0",
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, PredictCommand.self, ExportCommand.self, InspectCommand.self,
            CheckpointCommand.self, AllocateCommand.self, TokenizeCommand.self, BenchCommand.self, PlanCommand.self,
            WeightsCommand.self, SpectrumCommand.self, FactorCommand.self, ExtractCommand.self,
            SuperpositionCommand.self,
        ])

    /// Parses and runs. Under `mpirun` every process gets the same command line, so what is wrong with it, and help, is
    /// told by process 0 alone.
    static func main() {
        do {
            var command = try parseAsRoot(CommandLine.arguments.dropFirst().map(expandingHomeInOption))
            try command.run()
        } catch {
            if let number = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"], number != "0" {
                Foundation.exit(exitCode(for: error).rawValue)
            }
            exit(withError: error)
        }
    }
}

/// The argument with the home folder for a `~` that follows `--option=`, where shells leave it as it is.
private func expandingHomeInOption(_ argument: String) -> String {
    guard let match = argument.wholeMatch(of: /(--[a-z-]+=)(~.*)/), let path = expandingHome(String(match.2)) else {
        return argument
    }
    return match.1 + path
}
