/// A set of texts with a number each, searched for the longest one that a position starts with.
///
/// The edges of all nodes are one open-addressing hash table keyed by (node, scalar): a search touches one slot for each
/// scalar, and builds no string.
struct ScalarTrie: Sendable {
    typealias Node = UInt32

    /// The node where every text starts.
    static let root: Node = 0

    private static let empty = UInt64.max
    private static let none: Int32 = -1

    private var keys: [UInt64] = Array(repeating: empty, count: 64)
    private var children: [Node] = Array(repeating: 0, count: 64)
    /// The number of the text that ends at each node.
    private var values: [Int32] = [none]

    /// Adds a text; a text that is there already gets the new number.
    mutating func insert(_ text: some Sequence<Unicode.Scalar>, value: Int32) {
        var node = Self.root
        for scalar in text {
            let slot = slot(of: node, scalar)
            if keys[slot] != Self.empty {
                node = children[slot]
            } else {
                let child = Node(truncatingIfNeeded: values.count)
                keys[slot] = Self.key(node, scalar)
                children[slot] = child
                values.append(Self.none)
                if values.count * 2 > keys.count { grow() }
                node = child
            }
        }
        values[Int(node)] = value
    }

    /// The node that a text leads to from the root; nil if no text of the set starts so.
    func node(after text: some Sequence<Unicode.Scalar>) -> Node? {
        var node = Self.root
        for scalar in text {
            guard let child = child(of: node, scalar) else { return nil }
            node = child
        }
        return node
    }

    /// The longest text, at least one scalar beyond `node`, that `scalars[range]` starts with, as where it ends and its number.
    @inline(__always)
    func longestMatch(
        in scalars: [Unicode.Scalar], _ range: Range<Int>, from start: Node = root
    ) -> (end: Int, value: Int32)? {
        var node = start
        var match: (end: Int, value: Int32)?
        var position = range.lowerBound
        while position < range.upperBound, let child = child(of: node, scalars[position]) {
            node = child
            position += 1
            let value = values[Int(node)]
            if value != Self.none { match = (position, value) }
        }
        return match
    }

    @inline(__always)
    private func child(of node: Node, _ scalar: Unicode.Scalar) -> Node? {
        let slot = slot(of: node, scalar)
        return keys[slot] == Self.empty ? nil : children[slot]
    }

    @inline(__always)
    private static func key(_ node: Node, _ scalar: Unicode.Scalar) -> UInt64 {
        UInt64(node) << 32 | UInt64(scalar.value)
    }

    /// The slot that holds the edge, or the empty one where it belongs.
    @inline(__always)
    private func slot(of node: Node, _ scalar: Unicode.Scalar) -> Int {
        let key = Self.key(node, scalar)
        let mask = keys.count - 1
        // Fibonacci hashing: the high half of the product depends on all bits of the key.
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != key, keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldChildren) = (keys, children)
        keys = Array(repeating: Self.empty, count: oldKeys.count * 2)
        children = Array(repeating: 0, count: oldKeys.count * 2)
        for (index, key) in oldKeys.enumerated() where key != Self.empty {
            guard let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: key)) else { continue }
            let slot = slot(of: Node(key >> 32), scalar)
            keys[slot] = key
            children[slot] = oldChildren[index]
        }
    }
}
