/// The fixed binary tree in which sums over the lanes of the global batch are taken.
///
/// Node (level, index) covers the lanes from `index · 2^level` to before `(index + 1) · 2^level`, cut at the number of
/// lanes. The tree is a function of the number of lanes alone, so that a sum has the same bits whichever processes hold
/// which lanes.
public struct LaneTree: Sendable, Equatable {
    public struct Node: Hashable, Sendable {
        public let level: Int
        public let index: Int

        package var firstLane: Int { index << level }
        package var left: Node { Node(level: level - 1, index: 2 * index) }
        package var right: Node { Node(level: level - 1, index: 2 * index + 1) }
    }

    public let laneCount: Int
    let root: Node

    /// - Precondition: at least one lane.
    public init(laneCount: Int) {
        precondition(laneCount > 0)
        self.laneCount = laneCount
        var level = 0
        while 1 << level < laneCount { level += 1 }
        root = Node(level: level, index: 0)
    }

    /// Levels above the leaves.
    public var depth: Int { root.level }

    /// The largest subtrees that cover these lanes and no others, from left to right: what a process that holds these
    /// lanes can add up alone.
    public func nodes(covering lanes: Range<Int>) -> [Node] {
        precondition(lanes.lowerBound >= 0 && lanes.upperBound <= laneCount)
        var nodes: [Node] = []
        var lane = lanes.lowerBound
        while lane < lanes.upperBound {
            var level = 0
            while level < root.level, lane % (2 << level) == 0,
                min(lane + (2 << level), laneCount) <= lanes.upperBound
            {
                level += 1
            }
            nodes.append(Node(level: level, index: lane >> level))
            lane = min(lane + (1 << level), laneCount)
        }
        return nodes
    }

    /// The lanes that one of `processCount` processes holds: contiguous, and as equal in number as possible.
    public func lanes(ofProcess processIndex: Int, of processCount: Int) -> Range<Int> {
        processIndex * laneCount / processCount..<(processIndex + 1) * laneCount / processCount
    }

    /// The slots of a lane of a global batch.
    public func slots(ofLane lane: Int, batchSize: Int) -> Range<Int> {
        lane * batchSize / laneCount..<(lane + 1) * batchSize / laneCount
    }

    /// Sums the values of a set of nodes that covers all lanes once.
    ///
    /// - Parameters:
    ///   - values: one value for each node.
    ///   - add: adds its second argument to its first.
    public func total<Value>(
        _ values: [(node: Node, value: Value)], add: (inout Value, Value) -> Void
    ) -> Value {
        let known = Dictionary(uniqueKeysWithValues: values.map { ($0.node, $0.value) })
        func sum(_ node: Node) -> Value {
            if let value = known[node] { return value }
            precondition(node.level > 0, "the nodes do not cover all lanes")
            var value = sum(node.left)
            if node.right.firstLane < laneCount { add(&value, sum(node.right)) }
            return value
        }
        return sum(root)
    }

    /// Sums one number of each lane.
    public func total(_ laneValues: [Double]) -> Double {
        precondition(laneValues.count == laneCount)
        return total(laneValues.enumerated().map { (Node(level: 0, index: $0.offset), $0.element) }) { $0 += $1 }
    }
}
