import ArgumentParser
import Diagnostics
import Foundation
import Training

/// `rankwise predict`.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict for texts on standard input, or for a file of images; prints a JSON object for each.",
        discussion: """
            A line is the text itself, or a JSON object with "text" and, for a pair, "text_pair". What the first line is decides
            for all, unless --input says it.

              echo 'A wonderful film.' | rankwise predict --adapter runs/reviews
              {"label": "1", "scores": [0.0124, 0.9876], "logits": [-2.19, 2.19]}

              rankwise predict --adapter runs/digits --images digits-test.csv

            Scores are the probabilities of the classes in their order; for a regression, label and score are the number.
            """)

    enum Input: String, ExpressibleByArgument, CaseIterable { case lines, jsonl }

    @Option(help: "The adapter's folder, or a whole model's, or that of the run that made it.")
    var adapter: String

    @Option(help: "The base model's folder, if it is not where the adapter says.")
    var model: String?

    @Option(help: "A file of images, IDX or CSV; for a run on images.")
    var images: String?

    @Option(help: "What a line is.")
    var input: Input?

    @Option(help: "Threads for matrix products; by default all of the machine's cores.")
    var threads: Int?

    func run() throws {
        try reportingErrors {
            ProcessThreads.use(threads, processesOfMachine: 1)
            if let images {
                let trained = try TrainedImageModel(path: adapter, baseModel: model)
                return try trained.predict(path: images) { try printLine(Self.json($0)) }
            }
            guard !TrainedImageModel.isOne(adapter) else {
                throw TrainingError(.usage, "\(adapter): a run on images; name a file of them with --images")
            }
            let trained = try TrainedModel(path: adapter, baseModel: model)
            var input = input
            try InputLines.forEachGroup(of: 32) { group in
                let chosen = input ?? (Self.isObject(group.first?.line ?? "") ? .jsonl : .lines)
                input = chosen
                let texts = try group.map { number, line -> (text: String, pair: String?) in
                    guard chosen == .jsonl else { return (line, nil) }
                    let object = try InputLines.object(line, number: number)
                    return (object.text, object.textPair)
                }
                let predictions = try trained.predictions(for: texts) { "standard input:\(group[$0].number)" }
                for prediction in predictions { try printLine(Self.json(prediction)) }
            }
        }
    }

    private static func isObject(_ line: String) -> Bool {
        line.first { !$0.isWhitespace } == "{" && (try? InputLines.object(line, number: 1)) != nil
    }

    /// The keys in the order in which a person reads them.
    private static func json(_ prediction: TrainedModel.Prediction) throws -> String {
        guard prediction.logits.allSatisfy(\.isFinite) else {
            throw TrainingError(.badData, "the model's logits are not finite, so its weights are of no use; train anew")
        }
        let label = try prediction.label.map { try jsonText($0) } ?? jsonText(prediction.scores.first ?? 0)
        return "{\"label\": \(label), \"scores\": \(try jsonText(prediction.scores)), "
            + "\"logits\": \(try jsonText(prediction.logits))}"
    }
}
