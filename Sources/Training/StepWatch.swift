import Diagnostics
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Watches that this process gets on, from a thread of its own: when nothing has moved for too long, it says where every
/// process stands and ends the job.
///
/// Each process leaves a sign of life, with its step and phase, in a small file of the run's folder. A process that is stopped,
/// or cut off, leaves none, and so is named by the others.
final class StepWatch: Sendable {
    /// What a process is doing, with the collective that it may be waiting in.
    enum Phase: UInt64, CaseIterable {
        case start, local, reduce, agree, update, decide, share, checkpoint, evaluation, end

        var name: String {
            switch self {
            case .start: "start (MPI_Bcast, MPI_Allgatherv)"
            case .local: "forward and backward"
            case .reduce: "reduction of gradients (MPI_Alltoallv)"
            case .agree: "agreement (MPI_Allgatherv)"
            case .update: "update"
            case .decide: "decision (MPI_Allgatherv of scores)"
            case .share: "sharing of parameters (MPI_Allgatherv)"
            case .checkpoint: "checkpoint (MPI_Allreduce, MPI_Allgatherv)"
            case .evaluation: "evaluation (MPI_Allgatherv)"
            case .end: "end (MPI_Barrier, MPI_Finalize)"
            }
        }

        /// Whether it belongs to no step: files are read or written, and each piece of work is progress.
        var isOutsideSteps: Bool { [.start, .checkpoint, .evaluation, .end].contains(self) }
    }

    private struct SignOfLife {
        static let size = 128
        let host: String
        let step: Int
        let phase: String
        let time: Double
    }

    private let processIndex: Int
    private let processCount: Int
    private let host: String
    private let timeout: Double
    /// For benchmarks.
    private let times: PhaseTimes?
    /// Outside the steps, a slow disk is given a minute.
    private static let leastOutsideSteps = 60.0
    private let path: String
    private let place = Atomic<UInt64>(0)
    /// Monotonic seconds · 1000 of the latest progress.
    private let progressTime = Atomic<UInt64>(0)
    private let isExpired = Atomic<Bool>(false)
    private let isReported = Atomic<Bool>(false)

    /// Starts watching, until the process ends.
    ///
    /// - Parameter timeout: seconds without progress; nil watches nothing.
    init(
        timeout: Double?, processIndex: Int, processCount: Int, host: String, runFolder: RunFolder,
        times: PhaseTimes? = nil
    ) {
        self.times = times
        self.processIndex = processIndex
        self.processCount = processCount
        self.host = host
        self.timeout = timeout ?? .infinity
        path = runFolder.path + "/.progress"
        guard timeout != nil else { return }
        progressed()
        // The clock is watched by a thread that touches no file: the folder's server may be what is cut off.
        let bodies: [(String, @Sendable () -> Void)] = [
            ("rankwise.watch", { [self] in watch() }), ("rankwise.signs", { [self] in leaveSigns() }),
        ]
        for (name, body) in bodies {
            let thread = Thread(block: body)
            thread.name = name
            thread.start()
        }
    }

    /// Of a process that works alone: it watches nothing.
    convenience init(times: PhaseTimes? = nil) {
        self.init(
            timeout: nil, processIndex: 0, processCount: 1, host: "", runFolder: RunFolder(path: ""), times: times)
    }

    /// Enters a phase of a step. A new step is progress; a new phase of the same step is not, so that the limit is that of
    /// whole steps.
    func enter(_ phase: Phase, step: Int) {
        times?.enter(phase)
        let old = place.exchange(UInt64(step) << 8 | phase.rawValue, ordering: .relaxed)
        if old >> 8 != UInt64(step) || phase.isOutsideSteps { progressed() }
    }

    func progressed() { progressTime.store(Self.now(), ordering: .relaxed) }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }

    private var currentPhase: (step: Int, phase: Phase) {
        let value = place.load(ordering: .relaxed)
        return (Int(value >> 8), Phase(rawValue: value & 255) ?? .start)
    }

    private var interval: Double { min(max(timeout / 10, 0.1), 2) }

    private func watch() {
        var lastTurn = Self.now()
        while true {
            // The other order could find progress that is later than now.
            let progress = progressTime.load(ordering: .relaxed)
            let now = Self.now()
            // This process itself was stopped, and may go on.
            if Double(now - lastTurn) / 1_000 > 2 * interval + 1 { progressed() }
            lastTurn = now
            let idle = now > progress ? Double(now - progress) / 1_000 : 0
            let limit = currentPhase.phase.isOutsideSteps ? max(timeout, Self.leastOutsideSteps) : timeout
            if idle > limit, progress == progressTime.load(ordering: .relaxed) { expire(idle: idle, limit: limit) }
            Thread.sleep(forTimeInterval: interval)
        }
    }

    private func expire(idle: Double, limit: Double) -> Never {
        let (step, phase) = currentPhase
        tellUser(
            "process \(processIndex) on \(host): no progress for \(String(format: "%.1f", idle)) s (limit \(limit) s), "
                + "in step \(step), \(phase.name)")
        isExpired.store(true, ordering: .relaxed)
        // Time to name the others, and for them to say where they are, before the launcher ends them all.
        for _ in 0..<30 where !isReported.load(ordering: .relaxed) { Thread.sleep(forTimeInterval: 0.1) }
        Thread.sleep(forTimeInterval: 1)
        _exit(70)
    }

    private func leaveSigns() {
        var descriptor: Int32 = -1
        while !isExpired.load(ordering: .relaxed) {
            // At the start the folder may not be there yet.
            if descriptor < 0 { descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
            leaveSign(descriptor)
            for _ in 0..<Int(interval * 10) where !isExpired.load(ordering: .relaxed) {
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
        reportSilence((0..<processCount).map { read($0, descriptor) })
        isReported.store(true, ordering: .relaxed)
    }

    private func leaveSign(_ descriptor: Int32) {
        let (step, phase) = currentPhase
        // A long host name must not push the time out of the record.
        var text = "\(host.prefix(40))\t\(step)\t\(phase.name)\t\(Date().timeIntervalSince1970)"
        text += String(repeating: "\n", count: max(0, SignOfLife.size - text.utf8.count))
        _ = text.withCString { pwrite(descriptor, $0, SignOfLife.size, off_t(processIndex * SignOfLife.size)) }
    }

    private func read(_ process: Int, _ descriptor: Int32) -> SignOfLife? {
        var bytes = [UInt8](repeating: 0, count: SignOfLife.size)
        guard pread(descriptor, &bytes, SignOfLife.size, off_t(process * SignOfLife.size)) == SignOfLife.size else {
            return nil
        }
        let parts = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }.split(separator: "\t")
        guard parts.count == 4, let step = Int(parts[1]), let time = Double(parts[3]) else { return nil }
        return SignOfLife(host: String(parts[0]), step: step, phase: String(parts[2]), time: time)
    }

    /// Names the processes that leave no more signs of life.
    private func reportSilence(_ signs: [SignOfLife?]) {
        let now = Date().timeIntervalSince1970
        for (process, sign) in signs.enumerated() where process != processIndex {
            guard let sign else { continue }
            let silence = now - sign.time
            if silence > 3 * interval + 1 {
                tellUser(
                    "process \(process) on \(sign.host) has given no sign of life for \(String(format: "%.1f", silence)) s, "
                        + "last in step \(sign.step), \(sign.phase): it is stopped, cut off or gone")
            }
        }
    }
}

/// The time that a process spends in each phase.
final class PhaseTimes: @unchecked Sendable {
    // The training step works on one thread.
    private var seconds: [StepWatch.Phase: Double] = [:]
    private var current: (phase: StepWatch.Phase, since: ContinuousClock.Instant)?

    fileprivate func enter(_ phase: StepWatch.Phase) {
        let now = ContinuousClock.now
        if let current { seconds[current.phase, default: 0] += current.since.duration(to: now).inSeconds }
        current = (phase, now)
    }

    /// The times since the last call; ends the phase at hand.
    func take() -> [StepWatch.Phase: Double] {
        if let phase = current?.phase { enter(phase) }
        current = nil
        defer { seconds = [:] }
        return seconds
    }
}
