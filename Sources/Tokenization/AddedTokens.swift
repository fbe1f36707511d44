/// A token that is found in a text as a whole, before the text is cut into words.
public struct AddedToken: Sendable, Equatable {
    public var id: Int32
    public var content: String
    /// Match only where no letter, digit or mark touches the token.
    public var isSingleWord = false
    /// Take the white space before, or after, the token with it.
    public var takesSpaceBefore = false
    public var takesSpaceAfter = false
    /// Look for it in the normalised text, in its normalised form.
    public var isNormalized = false
    /// Left out when ids are decoded without special tokens.
    public var isSpecial = false

    public init(id: Int32, content: String) {
        self.id = id
        self.content = content
    }
}

/// Added tokens that are looked for in the same text: as it was written, or as it was normalised.
struct AddedTokenSearch: Sendable {
    /// A part of a text: a token's, or what lies between tokens.
    struct Part: Equatable {
        var range: Range<Int>
        /// nil: the part is text.
        var id: Int32?
    }

    private var trie = ByteTrie()
    /// By the trie's values.
    private var tokens: [AddedToken] = []
    /// Whether any token starts with a byte.
    private var starts = Array(repeating: false, count: 256)

    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a token that is looked for as `pattern`; of two with the same pattern the first counts.
    ///
    /// One whose pattern is empty is never found.
    mutating func insert(_ token: AddedToken, pattern: [UInt8]) {
        guard let first = pattern.first else { return }
        trie.insert(pattern, value: Int32(truncatingIfNeeded: tokens.count), replacing: false)
        tokens.append(token)
        starts[Int(first)] = true
    }

    /// Cuts a text at the leftmost, and of these the longest, tokens.
    func parts(of bytes: [UInt8]) -> [Part] {
        guard !bytes.isEmpty else { return [] }
        var parts: [Part] = []
        var (gap, position) = (0, 0)
        while position < bytes.count, !tokens.isEmpty {
            guard starts[Int(bytes[position])],
                let match = trie.longestMatch(in: bytes, position..<bytes.count)
            else {
                position += 1
                continue
            }
            let token = tokens[Int(match.value)]
            var (start, end) = (position, match.end)
            position = end
            if token.isSingleWord, touchesWord(bytes, start..<end) { continue }
            if token.takesSpaceBefore { start = max(spaceStart(before: start, in: bytes), gap) }
            if token.takesSpaceAfter { end = spaceEnd(after: end, in: bytes) }
            // The white space behind one token may have been the beginning of this one.
            start = max(start, min(gap, end))
            if gap < start { parts.append(Part(range: gap..<start, id: nil)) }
            if start < end { parts.append(Part(range: start..<end, id: token.id)) }
            gap = max(gap, end)
        }
        if gap < bytes.count { parts.append(Part(range: gap..<bytes.count, id: nil)) }
        return parts
    }

    private func touchesWord(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        if range.lowerBound > 0 {
            let previous = UTF8Text.start(before: range.lowerBound, in: bytes)
            if UnicodeClasses.isWord(UTF8Text.scalar(at: previous, in: bytes).scalar) { return true }
        }
        return range.upperBound < bytes.count
            && UnicodeClasses.isWord(UTF8Text.scalar(at: range.upperBound, in: bytes).scalar)
    }

    private func spaceStart(before position: Int, in bytes: [UInt8]) -> Int {
        var start = position
        while start > 0 {
            let previous = UTF8Text.start(before: start, in: bytes)
            guard UnicodeClasses.isWhiteSpace(UTF8Text.scalar(at: previous, in: bytes).scalar) else { break }
            start = previous
        }
        return start
    }

    private func spaceEnd(after position: Int, in bytes: [UInt8]) -> Int {
        var end = position
        while end < bytes.count {
            let (scalar, length) = UTF8Text.scalar(at: end, in: bytes)
            guard UnicodeClasses.isWhiteSpace(scalar) else { break }
            end += length
        }
        return end
    }
}
