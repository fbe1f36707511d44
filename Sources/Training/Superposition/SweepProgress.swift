import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// How far a sweep is, on standard error: one line that is rewritten on a terminal; elsewhere a line whenever cells are
/// finished.
struct SweepProgress {
    private let cells: Int
    private let finishedBefore: Int
    private let work: Int64
    private let start = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownFinished = 0

    /// - Parameters:
    ///   - cells: to compute.
    ///   - finishedBefore: cells of an earlier attempt.
    ///   - work: of the cells to compute.
    init(cells: Int, finishedBefore: Int, work: Int64) {
        self.cells = cells
        self.finishedBefore = finishedBefore
        self.work = work
    }

    /// - Parameters:
    ///   - cell: what this process is at.
    ///   - finished: cells of this attempt, of all processes.
    ///   - work: that was done, of all processes.
    mutating func show(_ cell: (SweepCell, step: Int, loss: Double)?, finished: Int, work done: Int64) {
        guard isTerminal || finished > shownFinished else { return }
        shownFinished = finished
        let seconds = start.duration(to: .now).inSeconds
        let left = done > 0 ? seconds * Double(max(work - done, 0)) / Double(done) : 0
        var line = "cell \(finishedBefore + finished)/\(finishedBefore + cells)"
        if isTerminal, let (cell, step, loss) = cell {
            line += "  \(cell.title): step \(step)/\(cell.steps), loss \(ProgressLine.fixed(loss, 5))"
        }
        line += "  \(ProgressLine.duration(left)) left"
        writeToStandardError(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
    }

    /// Ends a line that is being rewritten.
    func finish() {
        if isTerminal, shownFinished > 0 { writeToStandardError("\n") }
    }
}
