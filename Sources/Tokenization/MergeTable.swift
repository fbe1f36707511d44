/// Which neighbours may be merged, in which order, and into what.
struct MergeTable: Sendable {
    /// The rank of what may not be merged.
    static let none = UInt32.max
    private static let empty = UInt64.max

    /// Open addressing, keyed by both tokens.
    private var keys: [UInt64]
    private var ranks: [UInt32]
    /// What the merge of each rank gives.
    private var results: [Int32]

    init(capacity: Int) {
        var slots = 64
        while slots < capacity * 2 { slots *= 2 }
        keys = Array(repeating: Self.empty, count: slots)
        ranks = Array(repeating: Self.none, count: slots)
        results = []
        results.reserveCapacity(capacity)
    }

    /// Adds the merge of the next rank; of equal pairs the last one counts.
    ///
    /// No more may be added than there is capacity for.
    mutating func append(_ left: Int32, _ right: Int32, result: Int32) {
        let slot = slot(Self.key(left, right))
        keys[slot] = Self.key(left, right)
        ranks[slot] = UInt32(truncatingIfNeeded: results.count)
        results.append(result)
    }

    @inline(__always)
    func rank(_ left: Int32, _ right: Int32) -> UInt32 { ranks[slot(Self.key(left, right))] }

    @inline(__always)
    func result(ofRank rank: UInt32) -> Int32 { results[Int(rank)] }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        let product = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: product >> 32) & mask
        while keys[slot] != key, keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }
}
