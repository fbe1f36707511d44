/// Tokens as bytes, each with its number, to be found by either.
///
/// Bytes are compared as they are: to a Swift `String` two tokens that are canonically equivalent would be one.
struct Vocabulary: Sendable {
    private static let empty: Int32 = -1

    /// All tokens' bytes, one after the other; entry `i` is `bytes[starts[i]..<starts[i + 1]]`.
    private var bytes: [UInt8] = []
    private var starts: [Int] = [0]
    private var ids: [Int32] = []
    /// Open addressing: the entry in each slot.
    private var slots: [Int32] = Array(repeating: empty, count: 64)
    /// Entries by number, where the number is small enough; the others are in `sparse`.
    private var entries: [Int32] = []
    private var sparse: [Int32: Int32] = [:]

    /// How many different tokens there are.
    var count: Int { ids.count }

    /// The largest number of a token; -1 if there is none.
    private(set) var largestID: Int32 = -1

    /// Adds a token; one that is there already gets the new number.
    mutating func insert(_ token: some Collection<UInt8>, id: Int32) {
        let contiguous = Array(token)
        let slot = slot(of: contiguous, 0..<contiguous.count)
        if slots[slot] != Self.empty {
            ids[Int(slots[slot])] = id
            name(id, entry: slots[slot])
            return
        }
        let entry = Int32(truncatingIfNeeded: ids.count)
        bytes.append(contentsOf: contiguous)
        starts.append(bytes.count)
        ids.append(id)
        slots[slot] = entry
        name(id, entry: entry)
        if ids.count * 2 > slots.count { grow() }
    }

    private mutating func name(_ id: Int32, entry: Int32) {
        largestID = max(largestID, id)
        if Int(id) < entries.count {
            entries[Int(id)] = entry
        } else if Int(id) < 2 * ids.count + 1_024 {
            entries.append(contentsOf: repeatElement(Self.empty, count: Int(id) + 1 - entries.count))
            entries[Int(id)] = entry
        } else {
            sparse[id] = entry
        }
    }

    /// The number of the token with these bytes.
    @inline(__always)
    func id(of text: [UInt8], _ range: Range<Int>) -> Int32? {
        let entry = slots[slot(of: text, range)]
        return entry == Self.empty ? nil : ids[Int(entry)]
    }

    func id(of token: some Collection<UInt8>) -> Int32? {
        let contiguous = Array(token)
        return id(of: contiguous, 0..<contiguous.count)
    }

    /// The bytes of the token with this number.
    func token(_ id: Int32) -> ArraySlice<UInt8>? {
        let entry = id >= 0 && Int(id) < entries.count ? entries[Int(id)] : (sparse[id] ?? Self.empty)
        let found = entry == Self.empty ? (sparse[id] ?? Self.empty) : entry
        return found == Self.empty ? nil : token(entry: Int(found))
    }

    /// All tokens with their numbers, in the order in which they were added.
    var tokens: some Sequence<(token: ArraySlice<UInt8>, id: Int32)> {
        ids.indices.lazy.map { (token(entry: $0), ids[$0]) }
    }

    private func token(entry: Int) -> ArraySlice<UInt8> { bytes[starts[entry]..<starts[entry + 1]] }

    /// The slot that holds the token, or the empty one where it belongs.
    @inline(__always)
    private func slot(of text: [UInt8], _ range: Range<Int>) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: byteHash(text, range)) & mask
        while slots[slot] != Self.empty, !isEqual(Int(slots[slot]), text, range) { slot = (slot + 1) & mask }
        return slot
    }

    @inline(__always)
    private func isEqual(_ entry: Int, _ text: [UInt8], _ range: Range<Int>) -> Bool {
        let start = starts[entry]
        guard starts[entry + 1] - start == range.count else { return false }
        for offset in 0..<range.count where bytes[start + offset] != text[range.lowerBound + offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = Array(repeating: Self.empty, count: slots.count * 2)
        for entry in ids.indices {
            slots[slot(of: bytes, starts[entry]..<starts[entry + 1])] = Int32(truncatingIfNeeded: entry)
        }
    }
}
