import ArgumentParser
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
            """,
        subcommands: [Step.self, Update.self, Select.self])

    struct Step: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The training step by part, and its ratio to the time of its products alone.")

        @Option(help: "The run's YAML file; nothing is written to its output folder.")
        var config: String

        @Option(name: .customLong("set"), help: "Set one key, as in 'rankwise train'; may be given many times.")
        var overrides: [String] = []

        @Option(help: "Steps to measure.")
        var steps = 20

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard steps > 0 else { throw ValidationError("--steps is \(steps), expected at least 1") }
        }

        func run() throws {
            let launch = programStart()
            runJob(exitCode: exitStatus(of:)) { communicator in
                let configuration = try TrainingConfiguration.broadcasted(
                    path: config, overrides: overrides, communicator)
                let result = try StepBenchmark.run(configuration, steps: steps, launch: launch, communicator)
                if communicator.processIndex == 0 { try printLine(json ? jsonText(result) : result.text) }
                return 0
            }
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

    struct Select: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The decision among 10³ to 10⁸ scores, against one pass over them.")

        @Option(help: "The largest number of scores, as a power of ten.")
        var largest = 7

        @Option(help: "Rounds to measure.")
        var rounds = 11

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
                    let result = SelectionBenchmark.run(scores: count, rounds: rounds)
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
            peak memory     \(figure(Double(peakMemory) / 1e6, 0)) MB of a process, \(figure(Double(ownMemory) / 1e6, 0)) MB its own
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
