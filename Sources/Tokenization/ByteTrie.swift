/// A set of byte strings with a number each, searched for those that a position starts with.
///
/// The edges of all nodes are one open-addressing hash table keyed by (node, byte), so that a search touches one word of
/// memory for each byte.
struct ByteTrie: Sendable {
    typealias Node = UInt32

    /// The node where every string starts.
    static let root: Node = 0
    static let none: Int32 = -1

    private static let empty = UInt64.max
    /// Nodes take 24 bits of an edge's key.
    static let nodeLimit = 1 << 24 - 1

    /// Key (node, byte) in the high half, the child in the low one.
    private var edges: [UInt64] = Array(repeating: empty, count: 256)
    /// The number of the string that ends at each node.
    private(set) var values: [Int32] = [none]

    /// Whether any string is in the set.
    var isEmpty: Bool { values.count == 1 }

    /// Adds a string; one that is there already gets the new number, or keeps its own.
    ///
    /// - Returns: whether there was room: a trie has at most 2^24 nodes.
    @discardableResult
    mutating func insert(_ bytes: some Sequence<UInt8>, value: Int32, replacing: Bool = true) -> Bool {
        var node = Self.root
        for byte in bytes {
            let slot = slot(of: node, byte)
            if edges[slot] != Self.empty {
                node = Node(truncatingIfNeeded: edges[slot])
                continue
            }
            guard values.count < Self.nodeLimit else { return false }
            let child = Node(truncatingIfNeeded: values.count)
            edges[slot] = UInt64(Self.key(node, byte)) << 32 | UInt64(child)
            values.append(Self.none)
            if values.count * 2 > edges.count { grow() }
            node = child
        }
        if replacing || values[Int(node)] == Self.none { values[Int(node)] = value }
        return true
    }

    /// The child of a node for a byte; nil if no string of the set goes on so.
    @inline(__always)
    func child(of node: Node, _ byte: UInt8) -> Node? {
        let edge = edges[slot(of: node, byte)]
        return edge == Self.empty ? nil : Node(truncatingIfNeeded: edge)
    }

    /// The node that a string leads to from the root; nil if no string of the set starts so.
    func node(after bytes: some Sequence<UInt8>) -> Node? {
        var node = Self.root
        for byte in bytes {
            guard let child = child(of: node, byte) else { return nil }
            node = child
        }
        return node
    }

    /// The longest string, at least one byte beyond `node`, that `bytes[range]` starts with, as where it ends and its number.
    @inline(__always)
    func longestMatch(in bytes: [UInt8], _ range: Range<Int>, from start: Node = root) -> (end: Int, value: Int32)? {
        var node = start
        var match: (end: Int, value: Int32)?
        var position = range.lowerBound
        while position < range.upperBound, let child = child(of: node, bytes[position]) {
            node = child
            position += 1
            let value = values[Int(node)]
            if value != Self.none { match = (position, value) }
        }
        return match
    }

    @inline(__always)
    private static func key(_ node: Node, _ byte: UInt8) -> UInt32 { node << 8 | UInt32(byte) }

    /// The slot that holds the edge, or the empty one where it belongs.
    @inline(__always)
    private func slot(of node: Node, _ byte: UInt8) -> Int {
        let key = Self.key(node, byte)
        let mask = edges.count - 1
        // Fibonacci hashing: the high half of the product depends on all bits of the key.
        var slot = Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while edges[slot] != Self.empty, UInt32(truncatingIfNeeded: edges[slot] >> 32) != key {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        let old = edges
        edges = Array(repeating: Self.empty, count: old.count * 2)
        for edge in old where edge != Self.empty {
            let key = UInt32(truncatingIfNeeded: edge >> 32)
            edges[slot(of: key >> 8, UInt8(truncatingIfNeeded: key))] = edge
        }
    }
}
