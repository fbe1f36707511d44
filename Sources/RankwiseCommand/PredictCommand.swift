import ArgumentParser
import Diagnostics
import Foundation
import PEFTFormat
import Text
import Training

/// `rankwise predict`.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict for texts on standard input, or for a file of images; prints a JSON object for each.",
        discussion: """
            A line is the text itself, or a JSON object with "text" and, for a pair, "text_pair", or the names of the columns
            of the training. What the first line is that is not blank decides for all, unless --input says it. Answers come
            as lines do, so another program can wait for each.

              echo 'A wonderful film.' | rankwise predict --adapter runs/reviews
              {"label": "1", "scores": [0.0124, 0.9876], "logits": [-2.19, 2.19]}

              rankwise predict --adapter runs/digits --images digits-test.csv

            Scores are the probabilities of the classes in their order; for a regression, label and score are the number.
            """)

    @Option(help: "The adapter's folder, or a whole model's, or that of the run that made it.")
    var adapter: String

    @Option(help: "The base model's folder, if it is not where the adapter says.")
    var model: String?

    @Option(help: "A file of images, IDX or CSV, with labels or without; for a run on images.")
    var images: String?

    @Option(help: "Column of the label in a CSV file of images that has one, if not the one of the training.")
    var label: String?

    @Option(help: "What a line is.")
    var input: InputTexts.Format?

    @Option(help: "Threads for matrix products; by default all of the machine's cores.")
    var threads: Int?

    func run() throws {
        try reportingErrors {
            try ProcessThreads.use(threads, processesOfMachine: 1)
            if let images {
                let trained = try TrainedImageModel(path: adapter, baseModel: model)
                try trained.base?.tellIfAnother()
                return try trained.predict(path: images, labelColumn: label) { try printLine(Self.json($0)) }
            }
            guard !TrainedImageModel.isOne(adapter) else {
                throw TrainingError(.usage, "\(adapter): a run on images; name a file of them with --images")
            }
            let weights = [adapter] + (model.map { [$0] } ?? [])
            let trained = try TrainedModel(path: adapter, baseModel: model)
            try trained.base?.tellIfAnother()
            var texts = InputTexts(
                format: input,
                columns: TextColumns(text: trained.task.textColumn, textPair: trained.task.textPairColumn),
                takesPairs: trained.task.isRecorded ? trained.task.textPairColumn != nil : nil)
            try texts.forEachGroup(of: 32) { group in
                let samples = group.map { ($0.text, $0.pair) }
                try trained.forEachPrediction(
                    for: samples, place: { "\(InputLines.name):\(group[$0].line)" },
                    { try printLine(Self.json($0, weights: weights)) })
            }
        }
    }

    /// The keys in the order in which a person reads them.
    private static func json(_ prediction: TrainedModel.Prediction, weights: [String] = []) throws -> String {
        guard prediction.logits.allSatisfy(\.isFinite) else {
            throw TrainingError(
                .badData,
                "the model's logits are not finite, so its weights are of no use; "
                    + (BrokenWeights.sentence(in: weights) ?? "train anew"))
        }
        let label = try prediction.label.map { try jsonText($0) } ?? jsonText(prediction.scores.first ?? 0)
        return "{\"label\": \(label), \"scores\": \(try jsonText(prediction.scores)), "
            + "\"logits\": \(try jsonText(prediction.logits))}"
    }
}
