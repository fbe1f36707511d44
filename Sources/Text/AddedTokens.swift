/// A token that is found in a text as a whole, before the text is cut into words.
struct AddedToken: Equatable {
    var id: Int32
    var content: String
    /// Not part of the language, as `[SEP]`.
    var isSpecial = false
    /// Match only where no letter, digit or mark touches the token.
    var isSingleWord = false
    /// Take the white space before, or after, the token with it.
    var takesSpaceBefore = false
    var takesSpaceAfter = false
    /// Look for it in the normalised text instead of the text as it was written.
    var isNormalized = false
}

/// A set of added tokens and the search for them: the leftmost, and there the longest.
///
/// Hugging Face's `AddedVocabulary` (its `find_matches`).
struct AddedTokens: Sendable {
    private struct Entry: Sendable {
        let id: Int32
        let isSingleWord, takesSpaceBefore, takesSpaceAfter: Bool
    }

    /// A part of a text: one added token, or what lies between two.
    enum Part: Equatable {
        case text(Range<Int>)
        case token(Int32)
    }

    private var patterns = ScalarTrie()
    private var entries: [Entry] = []
    /// For each ASCII character whether a pattern starts with it; most positions of a text are passed by this alone.
    private var startsInASCII: [Bool] = Array(repeating: false, count: 128)
    private var startsElsewhere = false

    var isEmpty: Bool { entries.isEmpty }

    /// Adds a token that is looked for as `pattern` (its content, or its content normalised); an empty one is never found.
    mutating func insert(_ token: AddedToken, pattern: [Unicode.Scalar]) {
        guard let first = pattern.first else { return }
        if first.value < 128 { startsInASCII[Int(first.value)] = true } else { startsElsewhere = true }
        patterns.insert(pattern, value: Int32(truncatingIfNeeded: entries.count))
        entries.append(
            Entry(
                id: token.id, isSingleWord: token.isSingleWord, takesSpaceBefore: token.takesSpaceBefore,
                takesSpaceAfter: token.takesSpaceAfter))
    }

    /// The parts of `text` in order; none is empty.
    func parts(of text: [Unicode.Scalar]) -> [Part] {
        guard !isEmpty else { return text.isEmpty ? [] : [.text(0..<text.count)] }
        var parts: [Part] = []
        var textStart = 0
        var position = 0
        while position < text.count {
            let scalar = text[position]
            let mayStart = scalar.value < 128 ? startsInASCII[Int(scalar.value)] : startsElsewhere
            guard mayStart, let match = patterns.longestMatch(in: text, position..<text.count) else {
                position += 1
                continue
            }
            let entry = entries[Int(match.value)]
            let found = position..<match.end
            position = match.end
            if entry.isSingleWord, Self.isInsideWord(found, text) { continue }
            var (start, end) = (found.lowerBound, found.upperBound)
            while entry.takesSpaceBefore, start > textStart, BertCharacters.isWhiteSpace(text[start - 1]) { start -= 1 }
            while entry.takesSpaceAfter, end < text.count, BertCharacters.isWhiteSpace(text[end]) { end += 1 }
            if textStart < start { parts.append(.text(textStart..<start)) }
            parts.append(.token(entry.id))
            textStart = end
            position = end
        }
        if textStart < text.count { parts.append(.text(textStart..<text.count)) }
        return parts
    }

    private static func isInsideWord(_ range: Range<Int>, _ text: [Unicode.Scalar]) -> Bool {
        (range.lowerBound > 0 && isWordCharacter(text[range.lowerBound - 1]))
            || (range.upperBound < text.count && isWordCharacter(text[range.upperBound]))
    }

    /// A regular expression's `\w` (Unicode Technical Standard 18, annex C).
    private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        return switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: false
        }
    }
}
