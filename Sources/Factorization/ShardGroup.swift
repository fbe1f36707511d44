public import LinearAlgebra
public import NeuralNetwork

/// The processes that share the products of a factorisation: each works on a range of the shards of rows.
///
/// Every method but the first is collective: all processes call it in the same order with the same shapes.
public protocol ShardGroup {
    /// The shards of this process.
    func shards(of tree: LaneTree) -> Range<Int>

    /// The sum over all shards, in the tree's order, on every process.
    ///
    /// - Parameter sums: those of this process's subtrees, `count` numbers each.
    func total(
        _ sums: [(node: LaneTree.Node, value: [Double])], tree: LaneTree, count: Int
    ) throws -> [Double]

    /// Completes a matrix of which every process has filled the rows of its own shards.
    ///
    /// - Parameter rows: of each shard; one after another.
    func complete(_ matrix: DoubleMatrix, rows: [Range<Int>], tree: LaneTree) throws

    /// The lists of all processes, one after another in the order of their shards.
    func joined(_ values: [Double]) throws -> [Double]

    /// Computes something on one process, and gives it to all.
    func once(_ body: () throws -> [DoubleMatrix]) throws -> [DoubleMatrix]
}

/// A process that is alone.
public struct SingleProcess: ShardGroup {
    public init() {}

    public func shards(of tree: LaneTree) -> Range<Int> { 0..<tree.laneCount }

    public func total(
        _ sums: [(node: LaneTree.Node, value: [Double])], tree: LaneTree, count: Int
    ) throws -> [Double] {
        tree.total(sums, add: addEach)
    }

    public func complete(_ matrix: DoubleMatrix, rows: [Range<Int>], tree: LaneTree) throws {}

    public func joined(_ values: [Double]) throws -> [Double] { values }

    public func once(_ body: () throws -> [DoubleMatrix]) throws -> [DoubleMatrix] { try body() }
}

/// Adds the second list to the first, element by element.
public func addEach(_ sum: inout [Double], _ other: [Double]) {
    sum.withUnsafeMutableBufferPointer { sum in
        other.withUnsafeBufferPointer { other in
            for index in 0..<min(sum.count, other.count) { sum[index] += other[index] }
        }
    }
}
