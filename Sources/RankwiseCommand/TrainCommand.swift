import ArgumentParser
import Foundation
import MessagePassing
import Training

/// The exit code of a run that was asked to stop and left a checkpoint, so that a scheduler may requeue it
/// (`EX_TEMPFAIL`).
let stoppedOnRequest: Int32 = 75

/// `rankwise train`.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train an adapter, or a whole network; alone, or under mpirun on several processes.",
        discussion: """
            The result has the same bytes for any number of processes, and for a run that was interrupted and resumed.

              rankwise train --config run.yaml
              mpirun -np 4 rankwise train --config run.yaml --set adapter.target_r=2 --set total_step=1000
              mpirun -np 2 rankwise train --config run.yaml --resume

            The output folder then holds adapter/ (for Hugging Face PEFT) or model/ (for transformers), metrics.jsonl,
            summary.json, config.yaml and checkpoints/. All configuration keys: rankwise train --help-config.
            """)

    @Option(help: "The configuration, a YAML file.")
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Replaces one key of the configuration, for instance optimizer.lr=1e-3; may be repeated.",
            valueName: "key=value"))
    var overrides: [String] = []

    @Option(help: "Threads that each process uses for large products; short for --set threads=N.")
    var threads: Int?

    @Flag(help: "Continue from the newest valid checkpoint in the output folder.")
    var resume = false

    @Flag(help: "Resume also on another type of processor than before; the last bits of the result will differ.")
    var anyProcessor = false

    @Flag(help: "Remove the earlier run in the output folder, and start over.")
    var overwrite = false

    @Flag(help: "Show the resolved configuration, shapes, triplets, shards and memory; train nothing, write nothing.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Print the value of one key of the resolved configuration, for scripts; train nothing.", valueName: "key"))
    var show: String?

    @Flag(help: "Show all keys of the configuration.")
    var helpConfig = false

    func validate() throws {
        if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
        if config == nil && !helpConfig {
            throw ValidationError(
                "--config is missing; give a YAML file, see 'rankwise train --help-config' for its keys")
        }
    }

    func run() throws {
        if helpConfig { return print(TrainingConfiguration.keysHelp) }
        let path = config ?? ""
        if let show {
            return try reportingErrors {
                try printLine(TrainingConfiguration.load(path: path, overrides: overrides).value(of: show))
            }
        }
        // From the beginning: a request during the start is met after the first step.
        if !dryRun { StopRequest.listenAtStart() }
        runJob(exitCode: exitStatus(of:)) { communicator in
            let configuration = try TrainingConfiguration.broadcasted(
                path: path, overrides: overrides + (threads.map { ["threads=\($0)"] } ?? []), communicator)
            guard !dryRun else {
                let summary = try TrainingRun.summary(configuration, processCount: communicator.processCount)
                if communicator.processIndex == 0 { print(summary) }
                return 0
            }
            let start: RunStart = resume ? .resume : overwrite ? .overwrite : .new
            let ending = try TrainingRun.train(
                configuration, start: start, anyProcessor: anyProcessor, communicator)
            return ending == .stopped ? stoppedOnRequest : 0
        }
    }
}
