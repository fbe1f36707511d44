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
        case local, reduce, agree, update, decide, share, checkpoint, evaluation

        var name: String {
            switch self {
            case .local: "forward and backward"
            case .reduce: "reduction of gradients (MPI_Alltoallv)"
            case .agree: "agreement (MPI_Allgatherv)"
            case .update: "update"
            case .decide: "decision (MPI_Allgatherv of scores)"
            case .share: "sharing of parameters (MPI_Allgatherv)"
            case .checkpoint: "checkpoint (MPI_Allreduce, MPI_Allgatherv)"
            case .evaluation: "evaluation (MPI_Allgatherv)"
            }
        }
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
    private let path: String
    private let place = Atomic<UInt64>(0)
    /// Monotonic seconds · 1000 of the latest progress.
    private let progressTime = Atomic<UInt64>(0)
    private let isStopped = Atomic<Bool>(false)

    /// Starts watching.
    ///
    /// - Parameter timeout: seconds without progress; nil watches nothing.
    init(timeout: Double?, processIndex: Int, processCount: Int, host: String, runFolder: RunFolder) {
        self.processIndex = processIndex
        self.processCount = processCount
        self.host = host
        self.timeout = timeout ?? .infinity
        path = runFolder.path + "/.progress"
        guard timeout != nil else { return }
        progressed()
        let thread = Thread { [self] in watch() }
        thread.name = "rankwise.watch"
        thread.start()
    }

    /// Enters a phase of a step. A new step is progress; a new phase of the same step is not, so that the limit is that of
    /// whole steps.
    func enter(_ phase: Phase, step: Int) {
        let old = place.exchange(UInt64(step) << 8 | phase.rawValue, ordering: .relaxed)
        if old >> 8 != UInt64(step) || phase == .evaluation || phase == .checkpoint { progressed() }
    }

    func progressed() { progressTime.store(Self.now(), ordering: .relaxed) }

    /// Ends the watch; the job is coming to its end.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }

    private var currentPhase: (step: Int, name: String) {
        let value = place.load(ordering: .relaxed)
        return (Int(value >> 8), (Phase(rawValue: value & 255) ?? .local).name)
    }

    private func watch() {
        let interval = min(max(timeout / 10, 0.1), 2)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        defer { if descriptor >= 0 { close(descriptor) } }
        while !isStopped.load(ordering: .relaxed) {
            leaveSign(descriptor)
            let idle = Double(Self.now() &- progressTime.load(ordering: .relaxed)) / 1_000
            if idle > timeout {
                report(idle: idle, signs: (0..<processCount).map { read($0, descriptor) }, interval: interval)
                // Time for the others to say where they are, before the launcher ends them all.
                Thread.sleep(forTimeInterval: 1)
                _exit(70)
            }
            Thread.sleep(forTimeInterval: interval)
        }
    }

    private func leaveSign(_ descriptor: Int32) {
        let phase = currentPhase
        var text = "\(host)\t\(phase.step)\t\(phase.name)\t\(Date().timeIntervalSince1970)"
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

    private func report(idle: Double, signs: [SignOfLife?], interval: Double) {
        let phase = currentPhase
        var lines = [
            "process \(processIndex) on \(host): no progress for \(String(format: "%.1f", idle)) s (step_timeout \(timeout) s), "
                + "in step \(phase.step), \(phase.name)"
        ]
        let now = Date().timeIntervalSince1970
        for (process, sign) in signs.enumerated() where process != processIndex {
            guard let sign else { continue }
            let silence = now - sign.time
            if silence > 3 * interval + 1 {
                lines.append(
                    "process \(process) on \(sign.host) has given no sign of life for \(String(format: "%.1f", silence)) s, "
                        + "last in step \(sign.step), \(sign.phase): it is stopped, cut off or gone")
            }
        }
        for line in lines { Coordinator.say(line) }
    }
}
