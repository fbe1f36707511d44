import ArgumentParser
import Diagnostics
import Factoring
import Foundation
import LinearAlgebra
import MessagePassing
import PEFTFormat

/// `rankwise extract`.
struct ExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Make an adapter of what fine-tuning has changed in a model, at the best ranks for a budget.",
        discussion: """
            Takes the difference of every linear layer between two Hugging Face folders apart into singular triplets, and keeps
            the greatest of all layers together. The decompositions are dealt to the processes; the adapter has the same bytes
            for any number of them.

              rankwise extract --base minilm/ --tuned tuned/ --budget 144 --output adapter/
              mpirun -np 4 rankwise extract --base minilm/ --tuned tuned/ --budget 144 --max-rank 16 --output adapter/

            What is no linear layer and differs (embeddings, layer norms, biases) is named: an adapter cannot carry it. A task
            head of the tuned model goes along.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case adalora, lora
    }

    @Option(help: "The folder of the model before the fine-tuning.")
    var base: String

    @Option(help: "The folder of the model after it.")
    var tuned: String

    @Option(help: "Triplets of the adapter, over all layers.")
    var budget: Int

    @Option(help: "The greatest rank of a layer.")
    var maxRank: Int?

    @Option(help: "The folder to write, which must not exist or be empty.")
    var output: String

    @Option(help: "PEFT's ADALORA or LORA.")
    var format = Format.adalora

    @Option(help: "Threads that each process uses for a decomposition.")
    var threads = 1

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard budget >= 1 else { throw ValidationError("--budget is \(budget); expected 1 triplet at least") }
        if let maxRank, maxRank < 1 { throw ValidationError("--max-rank is \(maxRank); expected 1 at least") }
        guard threads >= 1 else { throw ValidationError("--threads is \(threads); expected 1 at least") }
    }

    func run() throws {
        runJob(exitCode: exitStatus(of:)) { communicator in
            BLASLibrary.setThreads(threads)
            try refuseFullFolder(output)
            let isCoordinator = communicator.processIndex == 0
            var told = ContinuousClock.now
            let extraction = try AdapterExtraction(
                try CheckpointPair(base: base, tuned: tuned), budget: budget, maximumRank: maxRank, communicator
            ) { message in
                guard isCoordinator, told.duration(to: .now) > .seconds(2) else { return }
                tellUser(message)
                told = .now
            }
            guard isCoordinator else { return 0 }
            try writeOutputFolder(output) { partial in
                try extraction.adapter.write(
                    format == .adalora ? .adalora : .lora, to: partial, task: extraction.task)
            }
            try printLine(json ? jsonText(ExtractionReport(extraction, output: output)) : text(extraction))
            return 0
        }
    }

    private func text(_ extraction: AdapterExtraction) -> String {
        let report = ExtractionReport(extraction, output: output)
        let width = extraction.layers.map(\.path.count).max() ?? 0
        func cell(_ value: Double) -> String { String(format: "%12.6f", value) }
        var lines = [
            "layer".padding(toLength: width, withPad: " ", startingAt: 0) + "  rank          σ1        ‖ΔW‖  error/‖ΔW‖"
        ]
        for layer in extraction.layers where layer.norm > 0 {
            lines.append(
                layer.path.padding(toLength: width, withPad: " ", startingAt: 0) + String(format: "  %4d", layer.rank)
                    + cell(layer.largest) + cell(layer.norm) + cell(layer.error / layer.norm))
        }
        let unchanged = extraction.layers.count { $0.norm == 0 }
        if unchanged > 0 { lines.append("\(unchanged) linear layers do not differ") }
        for loss in extraction.losses {
            lines.append(
                "not carried: \(loss.name)"
                    + (loss.relativeChange.map { String(format: ", changed by %.6f of its norm", $0) }
                        ?? ", another shape"))
        }
        lines.append(
            "\(output): \(format.rawValue), \(report.triplets) triplets in \(extraction.adapter.modules.count) layers, "
                + "error \(String(format: "%.6f", report.relativeError)) of all differences"
                + (extraction.adapter.head.isEmpty ? "" : ", with the head"))
        return lines.joined(separator: "\n")
    }
}

/// What was extracted, as JSON.
private struct ExtractionReport: Encodable {
    let output: String
    let triplets: Int
    /// √(Σ ‖ΔW − ΔW'‖² / Σ ‖ΔW‖²).
    let relativeError: Double
    let layers: [AdapterExtraction.Layer]
    let notCarried: [AdapterExtraction.Loss]

    enum CodingKeys: String, CodingKey {
        case output, triplets, layers
        case relativeError = "relative_error"
        case notCarried = "not_carried"
    }

    init(_ extraction: AdapterExtraction, output: String) {
        self.output = output
        triplets = extraction.layers.reduce(0) { $0 + $1.rank }
        let squares = extraction.layers.reduce((error: 0.0, norm: 0.0)) {
            ($0.error + $1.error * $1.error, $0.norm + $1.norm * $1.norm)
        }
        relativeError = (squares.error / squares.norm).squareRoot()
        layers = extraction.layers
        notCarried = extraction.losses
    }
}
