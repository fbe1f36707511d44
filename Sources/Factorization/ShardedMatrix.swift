public import LinearAlgebra
import NeuralNetwork

/// A matrix whose rows are cut into a fixed number of shards, dealt to the processes of a group.
///
/// What sums over rows is summed within a shard, then over the shards by one fixed tree, and what does not is computed
/// shard by shard: every product has the same bits for any number of processes.
public struct ShardedMatrix {
    /// At least as many rows as columns is what the methods here are quick for.
    public let matrix: DoubleMatrix
    public let group: any ShardGroup
    /// The rows of each shard.
    public let shardRows: [Range<Int>]
    let tree: LaneTree
    private let own: Range<Int>

    /// Shards of every matrix: so many processes take part in a product.
    public static let shardCount = 16

    public init(_ matrix: DoubleMatrix, group: any ShardGroup) {
        self.matrix = matrix
        self.group = group
        tree = LaneTree(laneCount: Self.shardCount)
        shardRows = (0..<Self.shardCount).map {
            $0 * matrix.rows / Self.shardCount..<($0 + 1) * matrix.rows / Self.shardCount
        }
        own = group.shards(of: tree)
    }

    public var rows: Int { matrix.rows }
    public var columns: Int { matrix.columns }

    /// The same numbers with rows and columns exchanged.
    public func transposed() -> ShardedMatrix { ShardedMatrix(matrix.transposed(), group: group) }

    /// `matrix · factor`, [rows, factor.columns].
    public func times(_ factor: DoubleMatrix) throws -> DoubleMatrix {
        let result = DoubleMatrix(rows: rows, columns: factor.columns)
        forEachOwnShard { rows in multiply(matrix[rows: rows], .none, factor.view, into: result[rows: rows]) }
        try group.complete(result, rows: shardRows, tree: tree)
        return result
    }

    /// `matrixᵀ · factor`, [columns, factor.columns], for a factor of as many rows as the matrix.
    public func transposedTimes(_ factor: DoubleMatrix) throws -> DoubleMatrix {
        let result = try sum(count: columns * factor.columns) { rows, target in
            multiply(
                matrix[rows: rows], .transposed, factor[rows: rows],
                into: DoubleMatrixView(base: target, rows: columns, columns: factor.columns))
        }
        return DoubleMatrix(rows: columns, columns: factor.columns, elements: result)
    }

    /// `matrixᵀ · matrix`, [columns, columns], of which only the upper triangle is set.
    ///
    /// - Parameter progress: is told the share that is done.
    public func gram(progress: (Double) -> Void = { _ in }) throws -> DoubleMatrix {
        let result = DoubleMatrix(rows: columns, columns: columns)
        // In strips, so that no more than a strip of each partial sum is in memory.
        let height = 256
        for start in stride(from: 0, to: columns, by: height) {
            let strip = start..<min(start + height, columns)
            let width = columns - start
            let values = try sum(count: strip.count * width) { rows, target in
                multiply(
                    matrix[rows: rows, columns: strip], .transposed, matrix[rows: rows, columns: start..<columns],
                    into: DoubleMatrixView(base: target, rows: strip.count, columns: width))
            }
            values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for (offset, row) in strip.enumerated() {
                    (result.pointer + row * columns + start).update(from: base + offset * width, count: width)
                }
            }
            progress(Double(strip.upperBound) / Double(columns))
        }
        return result
    }

    /// The sum over the shards of `count` numbers each, on every process.
    ///
    /// - Parameter value: writes the numbers of one shard, given its rows.
    public func sum(
        count: Int, value: (_ rows: Range<Int>, _ target: UnsafeMutablePointer<Double>) throws -> Void
    ) throws -> [Double] {
        var sums: [(node: LaneTree.Node, value: [Double])] = []
        for node in tree.nodes(covering: own) { sums.append((node, try sum(of: node, count: count, value: value))) }
        return try group.total(sums, tree: tree, count: count)
    }

    /// Calls the body with the rows of each shard of this process that has any.
    public func forEachOwnShard(_ body: (_ rows: Range<Int>) throws -> Void) rethrows {
        for shard in own where !shardRows[shard].isEmpty { try body(shardRows[shard]) }
    }

    private func sum(
        of node: LaneTree.Node, count: Int, value: (Range<Int>, UnsafeMutablePointer<Double>) throws -> Void
    ) throws -> [Double] {
        if node.level == 0 {
            var values = [Double](repeating: 0, count: count)
            let rows = shardRows[node.firstLane]
            guard !rows.isEmpty else { return values }
            try values.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { try value(rows, base) }
            }
            return values
        }
        var left = try sum(of: node.left, count: count, value: value)
        if node.right.firstLane < tree.laneCount {
            addEach(&left, try sum(of: node.right, count: count, value: value))
        }
        return left
    }
}
