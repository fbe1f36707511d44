import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// `metrics.jsonl`: one JSON object for each step.
///
/// Lines that cannot be written, on a full disk for instance, are kept and tried again with the next one; a run does not end
/// for them before its own end.
final class MetricsLog {
    private let path: String
    private let descriptor: Int32
    private var unwritten: [UInt8] = []
    private var hasFailed = false
    private let encoder = JSONEncoder()

    private struct Line: Encodable {
        let step: Int
        let taskLoss: Double
        let loss: Double
        let lr: Double
        let gradNorm: Double
        let budget: Int
        let active: Int
        let kept: Int
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
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TrainingError(
                .inputOutput,
                "\(path): cannot be opened for writing (\(String(cString: strerror(errno)))); check its permissions")
        }
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // A skipped step's loss and gradient norm are not numbers that JSON has.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    deinit { close(descriptor) }

    func append(_ report: StepReport, validation: Metrics?) {
        let ranks = report.decision.map {
            Dictionary($0.ranks.map { ($0.module, $0.rank) }, uniquingKeysWith: { first, _ in first })
        }
        let line = Line(
            step: report.step, taskLoss: report.taskLoss, loss: report.loss, lr: report.learningRate,
            gradNorm: report.gradientNorm, budget: report.budget, active: report.active, kept: report.kept,
            tokens: report.tokens,
            stepSeconds: report.seconds, threshold: report.decision?.threshold, ranks: ranks,
            validation: validation.map { Dictionary($0.named, uniquingKeysWith: { first, _ in first }) },
            skipped: report.skipped.map(\.description))
        unwritten += (try? encoder.encode(line)).map { [UInt8]($0) } ?? []
        unwritten.append(UInt8(ascii: "\n"))
        writeOut()
    }

    /// Brings the lines of the steps so far to the disk, before a checkpoint that they belong to is committed.
    func synchronize() {
        writeOut()
        fsync(descriptor)
    }

    /// - Throws: ``TrainingError`` if lines are left that could not be written.
    func finish() throws(TrainingError) {
        writeOut()
        guard unwritten.isEmpty else {
            throw TrainingError(.inputOutput, "\(path): \(reason); free space there, then continue with --resume")
        }
    }

    private func writeOut() {
        while !unwritten.isEmpty {
            let count = write(descriptor, unwritten, unwritten.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if !hasFailed { tellUser("\(path): \(reason); the run goes on and tries again at each step") }
                hasFailed = true
                return
            }
            unwritten.removeFirst(count)
        }
        hasFailed = false
    }

    private var reason: String { "lines cannot be written (\(String(cString: strerror(errno))))" }
}
