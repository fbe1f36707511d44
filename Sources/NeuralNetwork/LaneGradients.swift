internal import CKernels
import LinearAlgebra

/// The gradients of all trained parameters, summed over the lanes of one process as far as the lane tree allows.
///
/// An operation gives the gradient of one lane at a time; this adds the lanes in the tree's order, so that nothing but
/// one sum for each of the process's subtrees is kept.
public final class LaneGradients {
    /// The subtrees whose sums are kept, from left to right.
    public let nodes: [LaneTree.Node]
    private let tree: LaneTree
    private let firstLane: Int
    /// One row for each node: [nodes, elements].
    private let sums: Sums
    /// One row for each level of the tree: [levels, elements of the largest block, or of all].
    private let scratch: Matrix

    /// Of blocks whose gradients come in parts: those of each lane so far, [lanes, elements of the block], and how many parts
    /// are in.
    private var sumsOfParts: [String: (sums: Matrix, parts: Int)] = [:]
    private let laneCount: Int
    private let part = Matrix()  // [1, elements of a block], of a part after the first

    private enum Sums {
        case own(Matrix)
        /// A lane's place in those of other gradients.
        case borrowed(UnsafeMutablePointer<Float>)
    }

    /// - Parameters:
    ///   - lanes: the lanes of this process, at least one.
    ///   - layout: all trained parameters.
    public init(tree: LaneTree, lanes: Range<Int>, layout: ParameterLayout) {
        precondition(!lanes.isEmpty)
        self.tree = tree
        firstLane = lanes.lowerBound
        laneCount = lanes.count
        nodes = tree.nodes(covering: lanes)
        sums = .own(Matrix(rows: nodes.count, columns: layout.elementCount))
        scratch = Matrix(rows: tree.depth, columns: layout.blocks.map(\.elements.count).max() ?? 0)
    }

    /// The sum over the lanes of `nodes[index]`: [elements of the layout].
    public func sum(ofNode index: Int) -> UnsafeMutablePointer<Float> {
        switch sums {
        case .own(let matrix): matrix.mutableView.rowStart(index)
        case .borrowed(let lane): lane
        }
    }

    /// The gradients of one lane alone.
    private init(ofLaneAt base: UnsafeMutablePointer<Float>) {
        tree = LaneTree(laneCount: 1)
        firstLane = 0
        laneCount = 1
        nodes = tree.nodes(covering: 0..<1)
        sums = .borrowed(base)
        scratch = Matrix()
    }

    /// Sets the gradient of one block of parameters. Where it comes in parts, as several operations read the block, one call
    /// for each gives them, and they are summed within a lane, in the order of the calls.
    ///
    /// - Parameters:
    ///   - block: the block's elements.
    ///   - parts: calls that give a part, the same number in each of them.
    ///   - laneGradient: writes the gradient of one of the batch's lanes, numbered within the process, to the given
    ///     place, all elements of the block.
    public func set(
        _ block: ParameterLayout.Block, parts: Int = 1,
        laneGradient: (_ lane: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
    ) {
        guard parts > 1 else { return sum(block, laneGradient) }
        let count = block.elements.count
        let (sums, given) = sumsOfParts[block.name] ?? (Matrix(), 0)
        if given == 0 { sums.resize(rows: laneCount, columns: count) }
        part.resize(rows: 1, columns: count)
        for lane in 0..<laneCount {
            guard given > 0 else {
                laneGradient(lane, sums.mutableView.rowStart(lane))
                continue
            }
            laneGradient(lane, part.pointer)
            kernel_add(sums.mutableView.rowStart(lane), part.pointer, count)
        }
        let isLast = given + 1 == parts
        sumsOfParts[block.name] = (sums, isLast ? 0 : given + 1)
        if isLast { sum(block) { $1.update(from: sums.view.rowStart($0), count: count) } }
        withExtendedLifetime(sums) {}
    }

    /// Sums the lanes of a block in the tree's order.
    private func sum(
        _ block: ParameterLayout.Block, _ laneGradient: (_ lane: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
    ) {
        for (index, node) in nodes.enumerated() {
            add(up: node, into: sum(ofNode: index) + block.elements.lowerBound, block.elements.count, laneGradient)
        }
    }

    /// Sets the gradients of all parameters, one lane after the other: for networks whose samples meet in nothing but these
    /// sums, which then need the memory of one lane only.
    ///
    /// - Parameters:
    ///   - layout: of all trained parameters.
    ///   - laneGradient: sets every block in the given gradients, which have one lane, from the process's lane of this number.
    public func setLaneByLane(
        _ layout: ParameterLayout, laneGradient: (_ lane: Int, _ gradients: LaneGradients) -> Void
    ) {
        if scratch.columns < layout.elementCount { scratch.resize(rows: tree.depth, columns: layout.elementCount) }
        for (index, node) in nodes.enumerated() {
            add(up: node, into: sum(ofNode: index), layout.elementCount) { lane, gradient in
                laneGradient(lane, LaneGradients(ofLaneAt: gradient))
            }
        }
    }

    /// The first block in which the sum of this process's lanes holds a number that is not finite.
    public func firstBlockNotFinite(of layout: ParameterLayout) -> Int? {
        layout.blocks.firstIndex { block in
            nodes.indices.contains { index in
                !kernel_sum_of_squares(sum(ofNode: index) + block.elements.lowerBound, block.elements.count).isFinite
            }
        }
    }

    private func add(
        up node: LaneTree.Node, into target: UnsafeMutablePointer<Float>, _ count: Int,
        _ laneGradient: (Int, UnsafeMutablePointer<Float>) -> Void
    ) {
        if node.level == 0 { return laneGradient(node.firstLane - firstLane, target) }
        add(up: node.left, into: target, count, laneGradient)
        guard node.right.firstLane < tree.laneCount else { return }
        let other = scratch.pointer + (node.level - 1) * scratch.columns
        add(up: node.right, into: other, count, laneGradient)
        kernel_add(target, other, count)
    }
}

extension LaneTree {
    /// Completes sums of gradients from those of the processes, in the tree's order and in place.
    ///
    /// - Parameter sums: one run of `count` floats for each node; together the nodes cover all lanes once.
    /// - Returns: the run that holds the total.
    public func completed(
        _ sums: [(node: Node, value: UnsafeMutablePointer<Float>)], count: Int
    ) -> UnsafeMutablePointer<Float> {
        total(sums) { kernel_add($0, $1, count) }
    }
}
