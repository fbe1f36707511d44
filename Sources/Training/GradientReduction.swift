import LinearAlgebra
public import MessagePassing
public import NeuralNetwork

/// Brings the gradient of every row to the process that owns it, lanes summed in the lane tree's order.
public final class GradientReduction {
    private let tree: LaneTree
    private let partition: ParameterPartition
    private let ownElements: Range<Int>
    /// The subtrees that each process sums alone.
    private let nodes: [[LaneTree.Node]]
    private let sendLayout: BufferLayout
    private let receiveLayout: BufferLayout
    private let outgoing = Matrix()
    private let incoming = Matrix()

    /// - Parameter processIndex: this process.
    public init(tree: LaneTree, partition: ParameterPartition, processIndex: Int) throws {
        let processCount = partition.elements.count
        let nodes = (0..<processCount).map { tree.nodes(covering: tree.lanes(ofProcess: $0, of: processCount)) }
        self.tree = tree
        self.partition = partition
        self.nodes = nodes
        ownElements = partition.elements[processIndex]
        let own = ownElements.count
        sendLayout = try BufferLayout(counts: partition.elements.map { $0.count * nodes[processIndex].count })
        receiveLayout = try BufferLayout(counts: nodes.map { $0.count * own })
        outgoing.resize(rows: 1, columns: sendLayout.extent)
        incoming.resize(rows: 1, columns: receiveLayout.extent)
    }

    /// - Parameter gradients: this process's lanes.
    /// - Returns: the gradient of the owned elements, [owned elements]; valid until the next call.
    public func reduce(
        _ gradients: LaneGradients, _ communicator: borrowing Communicator
    ) throws -> UnsafeMutablePointer<Float> {
        for (process, elements) in partition.elements.enumerated() {
            var target = outgoing.pointer + sendLayout.displacements[process]
            for node in gradients.nodes.indices {
                target.update(from: gradients.sum(ofNode: node) + elements.lowerBound, count: elements.count)
                target += elements.count
            }
        }
        try communicator.allToAll(
            sending: UnsafeBufferPointer(start: outgoing.pointer, count: sendLayout.extent), sendLayout: sendLayout,
            receiving: UnsafeMutableBufferPointer(start: incoming.pointer, count: receiveLayout.extent),
            receiveLayout: receiveLayout)
        var sums: [(node: LaneTree.Node, value: UnsafeMutablePointer<Float>)] = []
        for (process, processNodes) in nodes.enumerated() {
            for (index, node) in processNodes.enumerated() {
                let start = receiveLayout.displacements[process] + index * ownElements.count
                sums.append((node, incoming.pointer + start))
            }
        }
        return tree.completed(sums, count: ownElements.count)
    }
}
