import Diagnostics
import Foundation
import LinearAlgebra
public import MessagePassing

/// Trains the cells of a sweep, each on one process, dealt to the processes of the job as they become free.
public enum SuperpositionSweep {
    /// What process 0 has to show at the end.
    public struct Summary: Sendable {
        public let fits: [ScalingFit]
        /// The files with all lines, and the figure.
        public let linesPath, figurePath: String
        public let cells: Int
    }

    private enum Counter {
        /// Cells that were handed out, cells that are finished, and work that was done.
        static let taken = 0, finished = 1, work = 2
        static let count = 3
    }

    /// Runs a sweep to its end. Collective.
    ///
    /// A cell is one line, the same whichever process computed it and however often the sweep was interrupted.
    ///
    /// - Parameters:
    ///   - configuration: the same on every process.
    ///   - start: what to do with what the output folder holds.
    /// - Returns: on process 0, what came out.
    /// - Throws: ``TrainingError``, and errors of message passing.
    public static func run(
        _ configuration: SweepConfiguration, start: RunStart, _ communicator: borrowing Communicator
    ) throws -> Summary? {
        let isCoordinator = communicator.processIndex == 0
        let runFolder = RunFolder(path: configuration.output)
        let folder = SweepFolder(path: configuration.output)
        let cells = configuration.cells
        var lock: RunFolder.Lock?
        var remaining: [Int32] = []
        if isCoordinator {
            try runFolder.create()
            lock = try RunFolder.Lock(runFolder)
            try folder.prepare(start)
            for (index, cell) in cells.enumerated() where try folder.result(of: cell) == nil {
                remaining.append(Int32(index))
            }
            // The longest first, so that no process is left alone with one at the end.
            remaining.sort { a, b in
                let (first, second) = (cells[Int(a)], cells[Int(b)])
                let (more, less) = (first.work(ofSteps: first.steps), second.work(ofSteps: second.steps))
                return more != less ? more > less : a < b
            }
            try folder.write(Data(configuration.resolvedYAML.utf8), to: folder.configurationPath)
        }
        defer { withExtendedLifetime(lock) {} }
        let token = try communicator.broadcasted(lock?.token ?? "", from: 0)
        try runFolder.checkIsShared(
            token: token, process: communicator.processIndex, host: communicator.hostName())
        remaining = try communicator.broadcasted(remaining, from: 0)
        BLASLibrary.setThreads(1)
        try compute(
            remaining.map { cells[Int($0)] }, into: folder, finishedBefore: cells.count - remaining.count, communicator)
        return isCoordinator ? try finish(cells, folder) : nil
    }

    private static func compute(
        _ cells: [SweepCell], into folder: SweepFolder, finishedBefore: Int, _ communicator: borrowing Communicator
    ) throws {
        let counters = try communicator.sharedCounters(count: Counter.count)
        var progress =
            communicator.processIndex == 0
            ? SweepProgress(
                cells: cells.count, finishedBefore: finishedBefore,
                work: cells.reduce(0) { $0 + $1.work(ofSteps: $1.steps) })
            : nil
        func show(_ cell: (SweepCell, step: Int, loss: Double)?) throws {
            try progress?.show(
                cell, finished: Int(counters.add(0, to: Counter.finished)), work: counters.add(0, to: Counter.work))
        }
        let alone = communicator.alone()
        while true {
            let number = Int(try counters.add(1, to: Counter.taken))
            guard number < cells.count else { break }
            let cell = cells[number]
            var reported = 0
            var latest = ContinuousClock.now
            let result = try cell.run(alone) { step, loss in
                // On process 0 this also lets the others' requests through.
                guard latest.duration(to: .now) > .milliseconds(100) || step == cell.steps else { return }
                latest = .now
                _ = try counters.add(cell.work(ofSteps: step) - cell.work(ofSteps: reported), to: Counter.work)
                reported = step
                try show((cell, step, loss))
            }
            try folder.store(result)
            if let step = result.divergedAtStep {
                tellUser("\(cell.title): the loss of step \(step) is not finite; the cell has no measures, lower lr")
            }
            _ = try counters.add(1, to: Counter.finished)
            try show(nil)
        }
        // A barrier would keep a processor busy.
        while try counters.add(0, to: Counter.finished) < cells.count {
            try show(nil)
            usleep(20_000)
        }
        try show(nil)
        progress?.finish()
        try communicator.barrier()
        try counters.release()
    }

    /// All lines, the fits and the figure.
    private static func finish(_ cells: [SweepCell], _ folder: SweepFolder) throws -> Summary {
        var results: [CellResult] = []
        for cell in cells {
            guard let result = try folder.result(of: cell) else {
                throw TrainingError(
                    .inputOutput, "\(folder.cellsPath): the line of \(cell.title) is gone; run again with --resume")
            }
            results.append(result)
        }
        var lines = Data()
        for result in results { lines += try result.line() + [UInt8(ascii: "\n")] }
        let fits = ScalingFit.all(of: results)
        try folder.write(lines, to: folder.linesPath)
        try folder.write(Data(try fits.map { try $0.line() + "\n" }.joined().utf8), to: folder.fitsPath)
        try folder.write(Data(ScalingFigure(results: results, fits: fits).svg.utf8), to: folder.figurePath)
        return Summary(fits: fits, linesPath: folder.linesPath, figurePath: folder.figurePath, cells: results.count)
    }
}

extension Communicator {
    /// The root's numbers, on every process. Only the root needs to know how many there are.
    fileprivate func broadcasted(_ numbers: [Int32], from root: Int) throws -> [Int32] {
        let bytes = numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
        let received = try broadcasted(bytes, from: root)
        return stride(from: 0, to: received.count, by: 4).map { start in
            Int32(littleEndian: received.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Int32.self) })
        }
    }
}
