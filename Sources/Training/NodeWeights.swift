import Diagnostics
import MessagePassing
import Models

/// Converted weights in memory that the processes of one machine share: the first of them converts.
final class NodeWeights: ConvertedWeights {
    private let node: Communicator
    private let alone = PrivateWeights()
    private var regions: [SharedFloats] = []
    private var isTold = false

    /// Collective.
    init(_ communicator: borrowing Communicator) throws {
        node = try communicator.splitByNode()
    }

    /// Collective among the processes of the machine.
    func memory(
        count: Int, fill: (UnsafeMutablePointer<Float>) throws -> Void
    ) throws -> UnsafePointer<Float> {
        if node.isAlone { return try alone.memory(count: count, fill: fill) }
        guard try hasRoom(forBytes: count * MemoryLayout<Float>.stride) else {
            return try alone.memory(count: count, fill: fill)
        }
        let region = try node.sharedFloats(count: count)
        if node.processIndex == 0 { try fill(region.base) }
        try region.synchronize(node)
        regions.append(region)
        return UnsafePointer(region.base)
    }

    /// Whether there is room for memory that the processes share, with some for MPI's own. Collective among the processes of
    /// the machine, and told once: without it each process converts for itself.
    private func hasRoom(forBytes bytes: Int) throws -> Bool {
        let free = Communicator.freeSharedMemory() ?? .max
        // The first process's answer is everyone's.
        var answer: [Int64] = [free >= bytes + (4 << 20) ? 1 : 0]
        try node.broadcast(&answer, from: 0)
        if answer == [0], !isTold, node.processIndex == 0 {
            isTold = true
            tellUser(
                "the processes of this machine cannot share converted weights: /dev/shm has \(free >> 10) KiB free, "
                    + "\(bytes >> 10) KiB are needed; each process keeps its own; give a container more (--shm-size), or "
                    + "convert the model to float32")
        }
        return answer == [1]
    }
}
