import MessagePassing
import Models

/// Converted weights in memory that the processes of one machine share: the first of them converts.
final class NodeWeights: ConvertedWeights {
    private let node: Communicator
    private let alone = PrivateWeights()
    private var regions: [SharedFloats] = []

    /// Collective.
    init(_ communicator: borrowing Communicator) throws {
        node = try communicator.splitByNode()
    }

    /// Collective among the processes of the machine.
    func memory(
        count: Int, fill: (UnsafeMutablePointer<Float>) throws -> Void
    ) throws -> UnsafePointer<Float> {
        if node.isAlone { return try alone.memory(count: count, fill: fill) }
        let region = try node.sharedFloats(count: count)
        if node.processIndex == 0 { try fill(region.base) }
        try region.synchronize(node)
        regions.append(region)
        return UnsafePointer(region.base)
    }
}
