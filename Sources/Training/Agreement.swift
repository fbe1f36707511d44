import MessagePassing
import NeuralNetwork

/// The numbers that all processes must know before the update, brought together by one small collective.
///
/// Each process gives a squared norm for each of its rows, the loss of each of its lanes, and the regulariser of each
/// module whose first row it owns; sums are then taken over rows, lanes and modules in their own order, so that they do not
/// depend on which process gave what.
struct Agreement {
    /// What one process knows.
    struct Contribution {
        /// For each owned row.
        var squaredNorms: [Double]
        /// For each lane of this process, the sum over its samples.
        var laneLosses: [Double]
        /// γ·R of each module whose first row this process owns.
        var penalties: [Double]
        /// Whether this process was asked to stop.
        var stops = false
        /// The first block of parameters whose gradient of this process's own lanes is not finite.
        var badBlock: Int?
        /// Where this process is with its shard of a checkpoint.
        var checkpoint = CheckpointWriter.Progress.none

        /// The values that are one for each process.
        fileprivate var flags: [Double] { [stops ? 1 : 0, Double(badBlock ?? -1), checkpoint.rawValue] }
        fileprivate static let flagCount = 3
    }

    /// Σ over the samples of the global batch.
    let lossSum: Double
    /// γ·R.
    let penalty: Double
    /// Euclidean norm of the whole gradient.
    let gradientNorm: Double
    /// Whether any process was asked to stop.
    let stops: Bool
    /// The first process whose gradient is not finite, and the block of parameters.
    let bad: (process: Int, block: Int?)?
    /// Whether every process has written its shard of the checkpoint at hand.
    let checkpointIsWritten: Bool

    /// The number of values that each process contributes to each of the three lists.
    struct Shape {
        let rows: [Int]
        let lanes: [Int]
        let modules: [Int]

        init(layout: ParameterLayout, partition: ParameterPartition, tree: LaneTree) {
            let count = partition.rows.count
            rows = partition.rows.map(\.count)
            lanes = (0..<count).map { tree.lanes(ofProcess: $0, of: count).count }
            modules = partition.rows.map { owned in
                layout.blocks.count { $0.isTriplets && !$0.rows.isEmpty && owned.contains($0.rows.lowerBound) }
            }
        }
    }

    init(
        _ own: Contribution, shape: Shape, tree: LaneTree, _ communicator: borrowing Communicator
    ) throws {
        let counts = shape.rows.indices.map {
            Contribution.flagCount + shape.rows[$0] + shape.lanes[$0] + shape.modules[$0]
        }
        let layout = try BufferLayout(counts: counts)
        var values = [Double](repeating: 0, count: layout.extent)
        let part = own.flags + own.squaredNorms + own.laneLosses + own.penalties
        values.replaceSubrange(layout.range(of: communicator.processIndex), with: part)
        try values.withUnsafeMutableBufferPointer { buffer throws(MessagePassingError) in
            try communicator.allGatherInPlace(buffer, layout: layout)
        }
        var all = Contribution(squaredNorms: [], laneLosses: [], penalties: [])
        var stops = false
        var bad: (process: Int, block: Int?)?
        var checkpointIsWritten = true
        for process in counts.indices {
            let flags = values[layout.range(of: process)].prefix(Contribution.flagCount).map(\.self)
            var rest = values[layout.range(of: process)].dropFirst(Contribution.flagCount)
            all.squaredNorms += rest.prefix(shape.rows[process])
            rest = rest.dropFirst(shape.rows[process])
            let losses = rest.prefix(shape.lanes[process])
            all.laneLosses += losses
            all.penalties += rest.dropFirst(shape.lanes[process])
            stops = stops || flags[0] != 0
            if bad == nil, flags[1] >= 0 || !losses.allSatisfy(\.isFinite) {
                bad = (process, flags[1] >= 0 ? Int(flags[1]) : nil)
            }
            checkpointIsWritten = checkpointIsWritten && flags[2] == CheckpointWriter.Progress.written.rawValue
        }
        self.stops = stops
        self.bad = bad
        self.checkpointIsWritten = checkpointIsWritten
        lossSum = tree.total(all.laneLosses)
        penalty = all.penalties.reduce(0, +)
        gradientNorm = all.squaredNorms.reduce(0, +).squareRoot()
    }

    /// Whether losses, regulariser and gradient can be used.
    var isFinite: Bool { lossSum.isFinite && penalty.isFinite && gradientNorm.isFinite }
}

extension ParameterLayout.Block {
    /// Whether the rows are triplets.
    var isTriplets: Bool { outputs != nil }

    /// Outputs of the adapted layer; nil for dense parameters.
    var outputs: Int? {
        guard case .triplets(let outputs, _) = kind else { return nil }
        return outputs
    }

    /// Inputs of the adapted layer; nil for dense parameters.
    var inputs: Int? {
        guard case .triplets(_, let inputs) = kind else { return nil }
        return inputs
    }
}
