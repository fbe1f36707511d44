import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Progress on standard error: one line that is rewritten on a terminal, plain lines elsewhere.
struct ProgressLine {
    private let totalSteps: Int
    private let totalTriplets: Int
    private let batchSize: Int
    /// Steps between two plain lines.
    private let interval: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    /// Seconds of the latest steps, whose mean is the speed shown.
    private var recent: [Double] = []

    init(totalSteps: Int, totalTriplets: Int, batchSize: Int, interval: Int) {
        self.totalSteps = totalSteps
        self.totalTriplets = totalTriplets
        self.batchSize = batchSize
        self.interval = max(1, interval)
    }

    mutating func show(_ report: StepReport) {
        recent.append(report.seconds)
        if recent.count > 20 { recent.removeFirst() }
        let done = report.step + 1
        guard isTerminal || done % interval == 0 || done == 1 || done == totalSteps else { return }
        let secondsPerStep = recent.reduce(0, +) / Double(recent.count)
        let left = Self.duration(secondsPerStep * Double(totalSteps - done))
        let line =
            "step \(done)/\(totalSteps)  loss \(Self.fixed(report.taskLoss, 4))  lr \(Self.scientific(report.learningRate))"
            + (totalTriplets > 0 ? "  budget \(report.budget)  kept \(report.kept)/\(totalTriplets)" : "")
            + "  \(Self.fixed(Double(batchSize) / max(secondsPerStep, 1e-9), 1)) samples/s  \(left) left"
        write(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
    }

    /// Ends a line that is being rewritten, so that what follows starts on its own.
    func finish() {
        if isTerminal { write("\n") }
    }

    private func write(_ text: String) { writeToStandardError(text) }

    static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    private static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9))
        return whole >= 3_600
            ? String(format: "%d:%02d:%02d", whole / 3_600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
