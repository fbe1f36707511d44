import Foundation
import LinearAlgebra
public import MessagePassing
import NeuralNetwork

/// How many threads share the large products of this process. They change no bit of any result.
public enum ProcessThreads {
    /// Sets the number for this process. Collective.
    ///
    /// - Parameter count: nil takes this process's part of the machine's cores: those that it is bound to, or all of them
    ///   divided by the processes of the job on this machine; and no more than a container's quota gives time for.
    public static func use(_ count: Int?, _ communicator: borrowing Communicator) throws(MessagePassingError) {
        let node = try communicator.splitByNode()
        use(count, processesOfMachine: node.processCount)
        try node.release()
    }

    /// - Parameter processesOfMachine: processes of the job on this machine.
    public static func use(_ count: Int?, processesOfMachine: Int) {
        let (bound, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
        let processes = max(processesOfMachine, 1)
        let own = bound < all ? bound : max(1, all / processes)
        let granted = CoreQuota.current().map { max(1, Int($0.rounded(.up)) / processes) } ?? own
        RowProducts.threads = count ?? min(own, granted)
        // The library's own products are small, and give other bits on other numbers of threads.
        BLASLibrary.setThreads(1)
    }
}

/// How much processor time a container may use, in cores, as control groups say it.
enum CoreQuota {
    /// Nil where there is no limit.
    static func current() -> Double? {
        func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
        if let limit = text("/sys/fs/cgroup/cpu.max") { return cores(ofLimit: limit) }
        guard let quota = text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
            let period = text("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        else { return nil }
        return cores(ofLimit: "\(quota) \(period)")
    }

    /// - Parameter limit: time and period in microseconds, as `cpu.max` has them; `max`, or a time below 0, is no limit.
    static func cores(ofLimit limit: String) -> Double? {
        let numbers = limit.split(whereSeparator: \.isWhitespace).map { Double($0) }
        guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0 else {
            return nil
        }
        return time / period
    }
}
