package import NeuralNetwork

/// Bytes that a process sends to others in a step, whatever the network.
package struct StepTraffic: Codable, Sendable, Equatable {
    /// Gradients, to the owners of their rows: the elements of others, once for each subtree of lanes that it sums alone.
    package let reduction: Int
    /// Updated parameters: its own elements, to each other process.
    package let sharing: Int
    /// Scores, on a masking step: of its own triplets, to each other process.
    package let decision: Int

    package init(
        layout: ParameterLayout, partition: ParameterPartition, tree: LaneTree, process: Int, tripletCount: Int
    ) {
        let size = MemoryLayout<Float>.size
        let count = partition.elements.count
        let own = partition.elements[process].count
        let nodes = tree.nodes(covering: tree.lanes(ofProcess: process, of: count)).count
        reduction = size * nodes * (layout.elementCount - own)
        sharing = size * own * (count - 1)
        decision = size * partition.rows[process].clamped(to: 0..<tripletCount).count * (count - 1)
    }
}
