/// The tokens of short pieces that were encoded already: the words of a language come again and again.
struct PieceCache {
    /// In bytes; a longer piece is not remembered.
    static let longestPiece = 64
    private static let capacity = 1 << 15

    private struct Entry {
        var hash: UInt64 = 0
        var start: UInt32 = 0
        var tokenStart: UInt32 = 0
        var tokenCount: UInt32 = 0
        /// 0: the slot is empty.
        var length: UInt32 = 0
    }

    private var slots: [Entry] = []
    private var bytes: [UInt8] = []
    private var tokens: [ModelToken] = []
    private var count = 0

    /// Appends the tokens of a piece if they are remembered.
    @inline(__always)
    func append(_ text: [UInt8], _ piece: Range<Int>, _ hash: UInt64, to result: inout [ModelToken]) -> Bool {
        guard count > 0 else { return false }
        let mask = Self.capacity * 2 - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot].length != 0 {
            let entry = slots[slot]
            if entry.hash == hash, Int(entry.length) == piece.count, isEqual(entry, text, piece) {
                let start = Int(entry.tokenStart)
                for index in start..<start + Int(entry.tokenCount) { result.append(tokens[index]) }
                return true
            }
            slot = (slot + 1) & mask
        }
        return false
    }

    @inline(__always)
    private func isEqual(_ entry: Entry, _ text: [UInt8], _ piece: Range<Int>) -> Bool {
        let start = Int(entry.start)
        for offset in 0..<piece.count where bytes[start + offset] != text[piece.lowerBound + offset] { return false }
        return true
    }

    /// Remembers a piece; when there is no room left, everything is forgotten.
    mutating func insert(_ text: [UInt8], _ piece: Range<Int>, _ hash: UInt64, _ new: ArraySlice<ModelToken>) {
        guard !piece.isEmpty else { return }
        if count == Self.capacity { self = PieceCache() }
        if slots.isEmpty { slots = Array(repeating: Entry(), count: Self.capacity * 2) }
        let mask = Self.capacity * 2 - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot].length != 0 { slot = (slot + 1) & mask }
        slots[slot] = Entry(
            hash: hash, start: UInt32(bytes.count), tokenStart: UInt32(tokens.count), tokenCount: UInt32(new.count),
            length: UInt32(piece.count))
        bytes.append(contentsOf: text[piece])
        tokens.append(contentsOf: new)
        count += 1
    }
}
