public import Factorization
public import LinearAlgebra
public import MessagePassing
public import NeuralNetwork

/// The processes of a job that share the products of a factorisation.
public final class JobGroup: ShardGroup {
    private let communicator: Communicator

    /// Collective.
    public init(_ communicator: borrowing Communicator) throws {
        self.communicator = try communicator.duplicated()
    }

    public func shards(of tree: LaneTree) -> Range<Int> {
        tree.lanes(ofProcess: communicator.processIndex, of: communicator.processCount)
    }

    public func total(
        _ sums: [(node: LaneTree.Node, value: [Double])], tree: LaneTree, count: Int
    ) throws -> [Double] {
        if communicator.isAlone { return tree.total(sums, add: addEach) }
        // Every process completes the sums of a part of the numbers.
        let (own, processes) = (communicator.processIndex, communicator.processCount)
        let parts = (0..<processes).map { $0 * count / processes..<($0 + 1) * count / processes }
        let nodes = (0..<processes).map { tree.nodes(covering: tree.lanes(ofProcess: $0, of: processes)) }
        let sendLayout = try BufferLayout(counts: parts.map { $0.count * sums.count })
        let receiveLayout = try BufferLayout(counts: nodes.map { $0.count * parts[own].count })
        var outgoing: [Double] = []
        outgoing.reserveCapacity(sendLayout.extent)
        for part in parts { for sum in sums { outgoing += sum.value[part] } }
        var incoming = [Double](repeating: 0, count: receiveLayout.extent)
        try outgoing.withUnsafeBufferPointer { source in
            try incoming.withUnsafeMutableBufferPointer { target in
                try communicator.allToAll(
                    sending: source, sendLayout: sendLayout, receiving: target, receiveLayout: receiveLayout)
            }
        }
        var all: [(node: LaneTree.Node, value: [Double])] = []
        for (process, processNodes) in nodes.enumerated() {
            for (index, node) in processNodes.enumerated() {
                let start = receiveLayout.displacements[process] + index * parts[own].count
                all.append((node, Array(incoming[start..<start + parts[own].count])))
            }
        }
        return try communicator.allGathered(varying: tree.total(all, add: addEach)).elements
    }

    public func complete(_ matrix: DoubleMatrix, rows: [Range<Int>], tree: LaneTree) throws {
        let counts = (0..<communicator.processCount).map { process in
            rows[tree.lanes(ofProcess: process, of: communicator.processCount)].reduce(0) { $0 + $1.count }
                * matrix.columns
        }
        try communicator.allGatherInPlace(
            UnsafeMutableBufferPointer(start: matrix.pointer, count: matrix.count), counts: counts)
        withExtendedLifetime(matrix) {}
    }

    public func joined(_ values: [Double]) throws -> [Double] {
        try communicator.allGathered(varying: values).elements
    }

    public func once(_ body: () throws -> [DoubleMatrix]) throws -> [DoubleMatrix] {
        if communicator.isAlone { return try body() }
        let own = communicator.processIndex == 0 ? try body() : []
        try communicator.idleBarrier()
        let shapes = try communicator.allGathered(varying: own.flatMap { [Int64($0.rows), Int64($0.columns)] }).elements
        let matrices =
            communicator.processIndex == 0
            ? own
            : stride(from: 0, to: shapes.count - 1, by: 2).map {
                DoubleMatrix(rows: Int(shapes[$0]), columns: Int(shapes[$0 + 1]))
            }
        for matrix in matrices {
            try communicator.broadcast(
                UnsafeMutableBufferPointer(start: matrix.pointer, count: matrix.count), from: 0)
            withExtendedLifetime(matrix) {}
        }
        return matrices
    }
}
