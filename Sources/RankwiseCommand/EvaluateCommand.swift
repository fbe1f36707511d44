import ArgumentParser
import Diagnostics
import Foundation
import MessagePassing
import Training

/// `rankwise evaluate`.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract:
            "Evaluate an adapter, or a whole model, on labelled data; alone, or under mpirun on several processes.",
        discussion: """
            Prints accuracy, F1 and Matthews correlation of a classification; Pearson, Spearman and the mean squared error of
            a regression. The adapter may be one that PEFT wrote, the model any BERT that has a head.

              rankwise evaluate --adapter runs/reviews --data test.tsv
              rankwise evaluate --adapter runs/digits --data digits-test.csv
            """)

    @Option(help: "The adapter's folder, or a whole model's, or that of the run that made it.")
    var adapter: String

    @Option(help: "The data: .tsv, .csv or .jsonl; of images, IDX or CSV, gzipped or not.")
    var data: String

    @Option(help: "The base model's folder, if it is not where the adapter says.")
    var model: String?

    @OptionGroup var columns: ColumnOptions

    @Option(
        help: "Threads that each process uses for matrix products; by default its part of the machine's cores.")
    var threads: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        runJob(exitCode: exitStatus(of:)) { communicator in
            try ProcessThreads.use(threads, communicator)
            let metrics = try metrics(communicator).finite(adapter)
            guard communicator.processIndex == 0 else { return 0 }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys]
                print(String(decoding: try encoder.encode(metrics), as: UTF8.self))
            } else {
                print("samples              \(metrics.count)")
                for (name, value) in metrics.named {
                    print(name.padding(toLength: 21, withPad: " ", startingAt: 0) + String(format: "%.6f", value))
                }
            }
            return 0
        }
    }
}

extension EvaluateCommand {
    private func metrics(_ communicator: borrowing Communicator) throws -> Metrics {
        guard !TrainedImageModel.isOne(adapter) else {
            let trained = try TrainedImageModel(path: adapter, baseModel: model)
            if communicator.processIndex == 0 { try trained.base?.tellIfAnother() }
            return try trained.metrics(path: data, labelColumn: columns.label, communicator)
        }
        let trained = try TrainedModel(path: adapter, baseModel: model)
        if communicator.processIndex == 0 { try trained.base?.tellIfAnother() }
        let samples = try trained.samples(
            path: data, text: columns.text, textPair: columns.textPair, label: columns.label)
        if communicator.processIndex == 0 { samples.remarks.forEach(tellUser) }
        return try Evaluation(model: trained.model).metrics(of: samples, communicator)
    }
}

/// Which columns of a data file hold what.
struct ColumnOptions: ParsableArguments {
    @Option(help: "Column of the text, if not the one of the training.")
    var text: String?

    @Option(help: "Column of the second text of a pair, if not the one of the training.")
    var textPair: String?

    @Option(help: "Column of the label, if not the one of the training.")
    var label: String?
}
