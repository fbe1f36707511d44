import Diagnostics
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
    /// - Throws: `MessagePassingError`, and as the other form.
    public static func use(_ count: Int?, _ communicator: borrowing Communicator) throws {
        let node = try communicator.splitByNode()
        let processCount = node.processCount
        try node.release()
        try use(count, processesOfMachine: processCount)
    }

    /// - Parameter processesOfMachine: processes of the job on this machine.
    /// - Throws: ``TrainingError`` if the process may not have the address space that the products of so many threads need.
    public static func use(_ count: Int?, processesOfMachine: Int) throws(TrainingError) {
        let (bound, all) = (ProcessInfo.processInfo.activeProcessorCount, ProcessInfo.processInfo.processorCount)
        RowProducts.threads = count ?? (bound < all ? bound : max(1, all / max(processesOfMachine, 1)))
        // The library's own products are small, and give other bits on other numbers of threads.
        BLASLibrary.setThreads(1)
        guard BLASLibrary.hasWorkspace(threads: RowProducts.threads) else {
            let needed = BLASLibrary.workspaceBytes >> 20 * RowProducts.threads
            throw TrainingError(
                .usage,
                "the address space is limited (ulimit -v, or a batch system's limit of virtual memory), and \(needed) MB for "
                    + "products on \(RowProducts.threads) threads cannot be had; raise the limit, or set threads lower")
        }
    }
}
