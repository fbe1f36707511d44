import Diagnostics

/// The replacements of SentencePiece's normalisation, compiled into a double array: what `Precompiled` holds.
struct CharacterMap: Sendable {
    /// The double array's units.
    private let units: [UInt32]
    /// The replacements, each with a zero behind it.
    private let replacements: [UInt8]
    /// For each ASCII scalar, what it becomes on its own; nil: it stays.
    private let ascii: [ArraySlice<UInt8>?]

    /// Reads a compiled map: the array's length in bytes, the array, and the replacements.
    ///
    /// - Throws: `badData` if the array does not fit, or the replacements are not UTF-8.
    init(_ blob: [UInt8], path: String) throws(TokenizationError) {
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(blob[offset + $1]) << UInt32(8 * $1) }
        }
        let complaint = TokenizationError(
            .badData, "\(path): the compiled character map is damaged; expected a length, a double array and UTF-8")
        guard blob.count >= 4 else { throw complaint }
        let length = Int(word(0))
        guard length % 4 == 0, length <= blob.count - 4 else { throw complaint }
        var units: [UInt32] = []
        units.reserveCapacity(length / 4)
        for index in 0..<length / 4 { units.append(word(4 + 4 * index)) }
        self.units = units
        replacements = Array(blob[(4 + length)...])
        guard String(validating: replacements, as: UTF8.self) != nil else { throw complaint }
        var ascii: [ArraySlice<UInt8>?] = Array(repeating: nil, count: 128)
        for byte in UInt8(1)..<128 {
            ascii[Int(byte)] = Self.replacement([byte], 0..<1, units, replacements)
        }
        self.ascii = ascii
    }

    /// What replaces the shortest beginning of a range that the map knows.
    private static func replacement(
        _ bytes: [UInt8], _ range: Range<Int>, _ units: [UInt32], _ replacements: [UInt8]
    ) -> ArraySlice<UInt8>? {
        func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
        guard let root = units.first else { return nil }
        var position = offset(root)
        for byte in bytes[range] where byte != 0 {
            position ^= Int(byte)
            guard position < units.count, units[position] & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
            let unit = units[position]
            position ^= offset(unit)
            guard position < units.count else { return nil }
            guard unit >> 8 & 1 == 1 else { continue }
            let start = Int(units[position] & 0x7FFF_FFFF)
            guard start < replacements.count else { return nil }
            return replacements[start...].prefix { $0 != 0 }
        }
        return nil
    }

    /// The text with its characters replaced, a grapheme cluster at a time.
    ///
    /// A cluster of less than six bytes is looked up as a whole, and the shortest beginning that the map knows stands for
    /// all of it; otherwise its scalars are looked up one by one.
    func normalized(_ text: AlignedText) -> AlignedText {
        var changes: [AlignedText.Change] = []
        changes.reserveCapacity(text.bytes.count)
        var isChanged = false
        GraphemeClusters.forEach(in: text.bytes) { cluster in
            if cluster.count < 6, let replacement = replacement(text.bytes, cluster) {
                isChanged = true
                Self.append(replacement, for: Self.scalarCount(text.bytes, cluster), to: &changes)
                return
            }
            var position = cluster.lowerBound
            while position < cluster.upperBound {
                let (scalar, length) = UTF8Text.scalar(at: position, in: text.bytes)
                if let replacement = replacement(text.bytes, position..<position + length) {
                    isChanged = true
                    Self.append(replacement, for: 1, to: &changes)
                } else {
                    changes.append(AlignedText.Change(scalar: scalar, change: 0))
                }
                position += length
            }
        }
        return isChanged ? text.applying(changes) : text
    }

    @inline(__always)
    private func replacement(_ bytes: [UInt8], _ range: Range<Int>) -> ArraySlice<UInt8>? {
        if range.count == 1 { return ascii[Int(bytes[range.lowerBound] & 0x7F)] }
        return Self.replacement(bytes, range, units, replacements)
    }

    private static func scalarCount(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        bytes[range].count { $0 & 0xC0 != 0x80 }
    }

    /// Appends a replacement: scalars take the place of the old ones as far as they go, and the last takes or adds the rest.
    private static func append(
        _ replacement: ArraySlice<UInt8>, for oldCount: Int, to changes: inout [AlignedText.Change]
    ) {
        let scalars = String(decoding: replacement, as: UTF8.self).unicodeScalars
        for (index, scalar) in scalars.enumerated() {
            changes.append(AlignedText.Change(scalar: scalar, change: index < oldCount ? 0 : 1))
        }
        if scalars.count < oldCount, !changes.isEmpty { changes[changes.count - 1].change += scalars.count - oldCount }
    }
}

/// What a reader sees as one character.
enum GraphemeClusters {
    /// Calls a closure with the range of each cluster.
    static func forEach(in bytes: [UInt8], _ body: (Range<Int>) -> Void) {
        var position = 0
        while position < bytes.count {
            // An ASCII scalar before another one is a cluster of its own, but for a carriage return before a line feed.
            let byte = bytes[position]
            if byte < 0x80, position + 1 == bytes.count || (bytes[position + 1] < 0x80 && byte != 0x0D) {
                body(position..<position + 1)
                position += 1
                continue
            }
            var end = position + 1
            while end < bytes.count, bytes[end] >= 0x80 || bytes[end - 1] >= 0x80 || bytes[end - 1] == 0x0D { end += 1 }
            for character in String(decoding: bytes[position..<end], as: UTF8.self) {
                let length = character.utf8.count
                body(position..<position + length)
                position += length
            }
        }
    }
}
