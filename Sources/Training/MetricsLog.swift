import Diagnostics
import Foundation

/// `metrics.jsonl`: one JSON object for each step.
final class MetricsLog {
    private let path: String
    private let file: FileHandle
    private let encoder = JSONEncoder()

    private struct Line: Encodable {
        let step: Int
        let taskLoss: Double
        let loss: Double
        let lr: Double
        let gradNorm: Double
        let budget: Int
        let active: Int
        let tokens: Int
        let stepSeconds: Double
        let threshold: Float?
        let ranks: [String: Int]?
        let validation: [String: Double]?
        /// What was not finite, if the step was skipped.
        let skipped: String?
    }

    /// Opens the log to append to it.
    init(path: String) throws(TrainingError) {
        self.path = path
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: path), (try? file.seekToEnd()) != nil else {
            throw TrainingError(.inputOutput, "\(path): cannot be opened for writing; check its permissions")
        }
        self.file = file
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // A skipped step's loss and gradient norm are not numbers that JSON has.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    func append(_ report: StepReport, validation: Metrics?) throws(TrainingError) {
        let ranks = report.decision.map {
            Dictionary($0.ranks.map { ($0.module, $0.rank) }, uniquingKeysWith: { first, _ in first })
        }
        let line = Line(
            step: report.step, taskLoss: report.taskLoss, loss: report.loss, lr: report.learningRate,
            gradNorm: report.gradientNorm, budget: report.budget, active: report.active, tokens: report.tokens,
            stepSeconds: report.seconds, threshold: report.decision?.threshold, ranks: ranks,
            validation: validation.map { Dictionary($0.named, uniquingKeysWith: { first, _ in first }) },
            skipped: report.skipped.map(\.description))
        do {
            try file.write(contentsOf: try encoder.encode(line) + [UInt8(ascii: "\n")])
        } catch {
            throw TrainingError(
                .inputOutput, "\(path): cannot be written (\(error.localizedDescription)); check the space left")
        }
    }
}
