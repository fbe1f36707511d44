import ArgumentParser
import Diagnostics
import Foundation
import MessagePassing
import Training

/// `rankwise bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this machine: the training step, the update, the decision.",
        discussion: """
            Figures are medians, and ratios are of times measured in turns in one run. Leave the machine otherwise idle.

              mpirun -np 2 rankwise bench step --config run.yaml
              rankwise bench update --shapes llama
              rankwise bench select
              mpirun -np 2 rankwise bench collectives --config run.yaml
              mpirun -np 2 rankwise bench checkpoint --config run.yaml --folder /shared/scratch
              rankwise bench load --config run.yaml
              rankwise bench superposition
              rankwise bench image-step
              rankwise bench tokenize --model minilm --texts reviews.txt
            """,
        subcommands: [
            Step.self, Update.self, Select.self, Collectives.self, Checkpoint.self, Load.self, Superposition.self,
            ImageStepCommand.self, TokenizeBenchmarkCommand.self,
        ])

    /// What the benchmarks of a run have in common.
    struct RunOptions: ParsableArguments {
        @Option(help: "The run's YAML file; nothing is written to its output folder.")
        var config: String

        @Option(name: .customLong("set"), help: "Set one key, as in 'rankwise train'; may be given many times.")
        var overrides: [String] = []

        @Flag(help: "Print JSON.")
        var json = false

        /// Measures on all processes of the job, and has process 0 print.
        func measure<Result: Encodable>(
            text: (Result) -> String,
            _ body: (TrainingConfiguration, borrowing Communicator) throws -> Result
        ) -> Never {
            runJob(exitCode: exitStatus(of:)) { communicator in
                let configuration = try TrainingConfiguration.broadcasted(
                    path: config, overrides: overrides, communicator)
                let result = try body(configuration, communicator)
                if communicator.processIndex == 0 { try printLine(json ? jsonText(result) : text(result)) }
                return 0
            }
        }
    }

    struct Step: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The training step by part, and its ratio to the time of its products alone.")

        @OptionGroup var options: RunOptions

        @Option(help: "Steps to measure.")
        var steps = 20

        func validate() throws {
            guard steps > 0 else { throw ValidationError("--steps is \(steps), expected at least 1") }
        }

        func run() throws {
            let launch = programStart()
            options.measure(text: \StepBenchmark.text) {
                try StepBenchmark.run($0, steps: steps, launch: launch, $1)
            }
        }
    }

    struct Collectives: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a step sends: bytes, and the time of each exchange alone.")

        @OptionGroup var options: RunOptions

        @Option(help: "Rounds to measure.")
        var rounds = 50

        func run() throws {
            options.measure(text: \CommunicationBenchmark.text) {
                try CommunicationBenchmark.run($0, rounds: max(rounds, 1), $1)
            }
        }
    }

    struct Checkpoint: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A checkpoint: the wait of a step, writing, verifying, taking up.")

        @OptionGroup var options: RunOptions

        @Option(help: "An empty folder that all processes see; what is written there is removed.")
        var folder: String

        @Option(help: "Rounds to measure.")
        var rounds = 10

        func run() throws {
            let contents = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            try reportingErrors {
                guard contents.isEmpty else {
                    throw TrainingError(.usage, "\(folder): not empty; name an empty or a new folder")
                }
            }
            options.measure(text: \CheckpointBenchmark.text) {
                try CheckpointBenchmark.run($0, folder: folder, rounds: max(rounds, 1), $1)
            }
        }
    }

    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What a run reads before its first step.")

        @OptionGroup var options: RunOptions

        func run() throws {
            options.measure(text: \LoadBenchmark.text) { configuration, _ in try LoadBenchmark.run(configuration) }
        }
    }

    struct Update: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a masking step does to the adapter, against a copy of the same bytes.")

        @Option(
            help: "The adapted modules: \(UpdateBenchmark.Shapes.allCases.map(\.rawValue).joined(separator: ", ")).")
        var shapes = "minilm"

        @Option(help: "Triplets of a module.")
        var rank = 12

        @Option(help: "Rounds to measure.")
        var rounds = 20

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard UpdateBenchmark.Shapes(rawValue: shapes) != nil else {
                throw ValidationError("--shapes is '\(shapes)', expected minilm or llama")
            }
            guard rank > 0, rank <= 1_024, rounds > 0 else {
                throw ValidationError("expected --rank from 1 to 1024, and --rounds from 1")
            }
        }

        func run() throws {
            try reportingErrors {
                guard let shapes = UpdateBenchmark.Shapes(rawValue: shapes) else { return }
                let result = UpdateBenchmark.run(shapes, rank: rank, rounds: rounds)
                try printLine(json ? jsonText(result) : result.text)
            }
        }
    }

    struct Superposition: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A step of the superposition model, against its products alone.")

        @Option(help: "Features.")
        var features = 1_000

        @Option(help: "Hidden numbers.")
        var hidden = 100

        @Option(help: "Samples of a step.")
        var batch = 2_048

        @Option(help: "Steps to measure.")
        var steps = 100

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            let limits = 1...100_000
            guard limits.contains(features), limits.contains(hidden), limits.contains(batch),
                features * hidden < 1 << 28,
                features * batch < 1 << 28, steps > 0
            else {
                throw ValidationError("expected --features, --hidden, --batch from 1 to 100000, and --steps from 1")
            }
        }

        func run() throws {
            runJob(exitCode: exitStatus(of:)) { communicator in
                let result = try SuperpositionBenchmark.run(
                    features: features, hidden: hidden, batch: batch, steps: steps, communicator.alone())
                if communicator.processIndex == 0 { try printLine(json ? jsonText(result) : result.text) }
                return 0
            }
        }
    }

    struct Select: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The decision among 10³ to 10⁸ scores, against one pass over them.")

        @Option(help: "The largest number of scores, as a power of ten.")
        var largest = 7

        @Option(help: "Rounds to measure.")
        var rounds = 11

        @Flag(help: "Scores of which most are alike: 1,000 values.")
        var ties = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard (3...8).contains(largest), rounds > 0 else {
                throw ValidationError("expected --largest from 3 to 8, and --rounds from 1")
            }
        }

        func run() throws {
            try reportingErrors {
                var count = 1_000
                for _ in 3...largest {
                    let result = SelectionBenchmark.run(scores: count, valueBits: ties ? 10 : 24, rounds: rounds)
                    try printLine(json ? jsonText(result) : result.text)
                    count *= 10
                }
            }
        }
    }
}

private func figure(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }

extension StepBenchmark {
    fileprivate var text: String {
        let whole = max(stepSeconds, 1e-9)
        let lines = parts.map { part in
            "  \(part.name.padding(toLength: 14, withPad: " ", startingAt: 0))\(figure(part.seconds * 1e3, 2)) ms  \(figure(100 * part.seconds / whole)) %"
        }
        return """
            \(processes) process\(processes == 1 ? "" : "es"), \(steps) steps
            step            \(figure(stepSeconds * 1e3, 1)) ms
            \(lines.joined(separator: "\n"))
            floor           \(figure(floorSeconds * 1e3, 1)) ms, the same products alone; the step takes \(figure(ratioToFloor, 2)) times that
            samples/s       \(figure(samplesPerSecond))
            real tokens/s   \(figure(tokensPerSecond, 0))
            first step      \(figure(firstStepSeconds, 2)) s after the start
            peak memory     \(figure(Double(peakMemory) / 1e6, 0)) MB of a process; at the end \(figure(Double(ownMemory) / 1e6, 0)) MB its own, \(figure(Double(proportionalMemory) / 1e6, 0)) MB with its share of what is shared
            """
    }
}

extension CommunicationBenchmark {
    fileprivate var text: String {
        let lines = exchanges.map { exchange in
            "\(exchange.name.padding(toLength: 12, withPad: " ", startingAt: 0))\(exchange.routine.padding(toLength: 16, withPad: " ", startingAt: 0))"
                + "\(exchange.bytes) bytes sent by a process, \(figure(exchange.seconds * 1e3, 3)) ms"
        }
        return (["\(processes) process\(processes == 1 ? "" : "es"), \(elements) trained parameters"] + lines)
            .joined(separator: "\n")
    }
}

extension CheckpointBenchmark {
    fileprivate var text: String {
        """
        \(processes) process\(processes == 1 ? "" : "es"), \(bytes) bytes
        a step waits    \(figure(stallSeconds * 1e3, 2)) ms
        committed after \(figure(writeSeconds * 1e3, 1)) ms
        verified in     \(figure(verifySeconds * 1e3, 1)) ms
        taken up in     \(figure(restoreSeconds * 1e3, 1)) ms
        """
    }
}

extension LoadBenchmark {
    fileprivate var text: String {
        """
        model           \(figure(modelSeconds * 1e3, 1)) ms
        tokenizer       \(figure(tokenizerSeconds * 1e3, 1)) ms
        data            \(figure(dataSeconds * 1e3, 1)) ms for \(samples) samples
        """
    }
}

extension UpdateBenchmark {
    fileprivate var text: String {
        """
        \(shapes): \(modules) modules, \(triplets) triplets, \(entries) entries
        update          \(figure(updateSeconds * 1e3, 3)) ms  (sensitivity, importance, clipping, AdamW)
        decision        \(figure(decisionSeconds * 1e3, 3)) ms  (scores, top-b, mask)
        together        \(figure(wholeSeconds * 1e3, 3)) ms
        update's bytes  \(figure(updateBytesPerSecond / 1e9)) GB/s
        copy's bytes    \(figure(copyBytesPerSecond / 1e9)) GB/s, the update moves \(figure(100 * ratioToCopy, 0)) % of that
        """
    }
}

extension SuperpositionBenchmark {
    fileprivate var text: String {
        """
        \(features) features, \(hidden) hidden, batch \(batch), one thread, \(steps) steps
        step            \(figure(stepSeconds * 1e3, 2)) ms
        products alone  \(figure(productSeconds * 1e3, 2)) ms; the step takes \(figure(ratioToProducts, 2)) times that
        """
    }
}

extension SelectionBenchmark {
    fileprivate var text: String {
        "\(scores) scores: \(figure(selectSeconds * 1e3, 3)) ms, one pass \(figure(passSeconds * 1e3, 3)) ms, ratio \(figure(ratioToPass, 2))"
    }
}

/// When the kernel started this process.
private func programStart() -> Date {
    guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
        let uptime = try? String(contentsOfFile: "/proc/uptime", encoding: .utf8).split(separator: " ").first,
        let now = Double(uptime),
        // The name, in parentheses, may hold spaces; the start is the twentieth field behind it, in hundredths.
        let ticks = text.split(separator: ")").last?.split(separator: " ").dropFirst(19).first,
        let start = Double(ticks)
    else { return Date() }
    return Date().addingTimeInterval(start / 100 - now)
}
