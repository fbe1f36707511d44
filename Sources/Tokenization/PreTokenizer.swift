/// A step that cuts a text into the pieces that the model sees, one at a time.
///
/// The cases are named after the `type` in `tokenizer.json`.
indirect enum PreTokenizer: Sendable {
    case bert
    case byteLevel(addsPrefixSpace: Bool, pattern: Pattern?)
    case metaspace(Metaspace)
    case split(Pattern, SplitBehavior, isInverted: Bool)
    case digits(areIndividual: Bool)
    case punctuation(SplitBehavior)
    case whitespace
    case whitespaceSplit
    case delimiter(Unicode.Scalar)
    case fixedLength(Int)
    case sequence([PreTokenizer])

    /// GPT-2's pattern, which ByteLevel cuts by.
    static let wordPattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    /// Whether it looks at where in the original a piece starts.
    var needsOrigins: Bool {
        switch self {
        case .metaspace(let options): options.prepends == .first
        case .sequence(let parts): parts.contains(where: \.needsOrigins)
        default: false
        }
    }

    func cut(_ text: inout CutText) {
        switch self {
        case .bert:
            text.cut(.removed, where: UnicodeClasses.isWhiteSpace)
            text.cut(.isolated, where: UnicodeClasses.isPunctuation)
        case .byteLevel(let addsPrefixSpace, let pattern):
            if addsPrefixSpace { text.prependToPieces([0x20], unlessStartingWith: [0x20]) }
            if let pattern { text.cut(by: pattern, .isolated) }
            text.spellBytes()
        case .metaspace(let options): options.cut(&text)
        case .split(let pattern, let behavior, let isInverted): text.cut(by: pattern, behavior, isInverted: isInverted)
        case .digits(let areIndividual):
            text.cut(areIndividual ? .isolated : .contiguous, where: UnicodeClasses.isNumeric)
        case .punctuation(let behavior): text.cut(behavior, where: UnicodeClasses.isPunctuation)
        case .whitespace: text.cutWords()
        case .whitespaceSplit: text.cut(.removed, where: UnicodeClasses.isWhiteSpace)
        case .delimiter(let delimiter): text.cut(.removed) { $0 == delimiter }
        case .fixedLength(let length): text.cut(length: length)
        case .sequence(let parts): for part in parts { part.cut(&text) }
        }
    }
}

/// SentencePiece's way to keep spaces: a visible character stands for each, and words are cut before it.
struct Metaspace: Sendable {
    enum Prepends: String, Sendable {
        case always
        case first
        case never
    }

    /// What stands for a space, in UTF-8.
    var replacement: [UInt8]
    var prepends: Prepends
    var splits: Bool

    func cut(_ text: inout CutText) {
        text.rewrite { old, piece, new in
            let start = new.bytes.count
            let first = old.bytes[piece.lowerBound]
            let hasSpace = first == 0x20 || old.bytes[piece].starts(with: replacement)
            if !hasSpace, prepends == .always || (prepends == .first && old.start(of: piece) == 0) {
                new.append(replacement, from: old, at: piece.lowerBound)
            }
            var gap = piece.lowerBound
            for position in piece where old.bytes[position] == 0x20 {
                if gap < position { new.append(old, gap..<position) }
                new.append(replacement, from: old, at: position)
                gap = position + 1
            }
            if gap < piece.upperBound { new.append(old, gap..<piece.upperBound) }
            assert(new.bytes.count > start)
        }
        guard splits else { return }
        if let scalar = String(decoding: replacement, as: UTF8.self).unicodeScalars.first {
            text.cut(.mergedWithNext) { $0 == scalar }
        }
    }
}

extension CutText {
    /// Puts something before each piece that does not start with it.
    mutating func prependToPieces(_ content: [UInt8], unlessStartingWith prefix: [UInt8]) {
        guard pieces.contains(where: { !text.bytes[$0].starts(with: prefix) }) else { return }
        rewrite { old, piece, new in
            if !old.bytes[piece].starts(with: prefix) { new.append(content, from: old, at: piece.lowerBound) }
            new.append(old, piece)
        }
    }

    /// Spells each byte as its character.
    mutating func spellBytes() {
        let spellings = ByteAlphabet.spellings
        rewrite { old, piece, new in
            for index in piece {
                ByteAlphabet.append(old.bytes[index], spellings, to: &new.bytes)
                guard old.keepsOrigins else { continue }
                while new.origins.count < new.bytes.count { new.origins.append(old.origins[index]) }
            }
        }
    }

    /// Cuts into runs of word characters and runs of what is neither these nor white space: `\w+|[^\w\s]+`.
    mutating func cutWords() {
        enum Kind { case word, space, other }
        var result: [Range<Int>] = []
        for piece in pieces {
            var position = piece.lowerBound
            var previous = Kind.space
            while position < piece.upperBound {
                let (scalar, length) = UTF8Text.scalar(at: position, in: text.bytes)
                let kind: Kind =
                    UnicodeClasses.isWord(scalar) ? .word : UnicodeClasses.isWhiteSpace(scalar) ? .space : .other
                if kind != .space {
                    if kind == previous, let last = result.last {
                        result[result.count - 1] = last.lowerBound..<position + length
                    } else {
                        result.append(position..<position + length)
                    }
                }
                previous = kind
                position += length
            }
        }
        pieces = result
    }

    /// Cuts into pieces of so many scalars.
    mutating func cut(length: Int) {
        var result: [Range<Int>] = []
        for piece in pieces {
            var (start, position, count) = (piece.lowerBound, piece.lowerBound, 0)
            while position < piece.upperBound {
                position += UTF8Text.length(first: text.bytes[position])
                count += 1
                guard count == length || position >= piece.upperBound else { continue }
                result.append(start..<position)
                (start, count) = (position, 0)
            }
        }
        pieces = result
    }
}
