import Foundation
import LinearAlgebra
public import MessagePassing
import NeuralNetwork

/// How many threads share the large products of this process. They change no bit of any result.
public enum ProcessThreads {
    /// Sets the number for this process. Collective.
    ///
    /// - Parameter count: nil takes this process's part of the machine's cores: those that it is bound to, or all of them
    ///   divided by the processes of the job on this machine.
    public static func use(_ count: Int?, _ communicator: borrowing Communicator) throws(MessagePassingError) {
        let node = try communicator.splitByNode()
        use(count, processesOfMachine: node.processCount)
        try node.release()
    }

    /// - Parameter processesOfMachine: processes of the job on this machine.
    public static func use(_ count: Int?, processesOfMachine: Int) {
        let (bound, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
        RowProducts.threads = count ?? (bound < all ? bound : max(1, all / max(processesOfMachine, 1)))
        // The library's own products are small, and give other bits on other numbers of threads.
        BLASLibrary.setThreads(1)
    }
}
