/// A text, or a pair of texts, as tokens.
public struct Encoding: Sendable, Equatable {
    /// The numbers of the tokens.
    public var ids: [Int32] = []
    /// Which text each token belongs to, as the model wants it said.
    public var typeIDs: [Int32] = []
    /// Where each token comes from in its text, in Unicode scalars; `0..<0` for special tokens. Empty unless asked for.
    public var offsets: [Range<Int>] = []
    /// Which word of its text each token belongs to, -1 for special tokens. Empty unless asked for.
    public var words: [Int32] = []
    /// Which text each token comes from: 0, 1, or -1 for the special tokens around texts. Empty unless offsets were asked for.
    public var sequences: [Int8] = []

    public init() {}

    public var count: Int { ids.count }
}

/// The tokens of one text, before special tokens are put around them.
struct TokenRun {
    /// How many spaces a token starts and ends with.
    struct Spaces {
        var leading: Int32 = 0
        var trailing: Int32 = 0
    }

    var ids: [Int32] = []
    /// Empty where no offsets are kept, as are `words` and `spaces`.
    var origins: [Origin] = []
    var words: [Int32] = []
    var spaces: [Spaces] = []

    subscript(range: Range<Int>) -> TokenRun {
        guard range != 0..<ids.count else { return self }
        var part = self
        part.ids = Array(ids[range])
        if !origins.isEmpty {
            part.origins = Array(origins[range])
            part.words = Array(words[range])
            part.spaces = Array(spaces[range])
        }
        return part
    }
}

extension Encoding {
    /// Appends the tokens of a text.
    mutating func append(_ run: TokenRun, typeID: Int32, sequence: Int8, keepsOffsets: Bool) {
        ids.append(contentsOf: run.ids)
        typeIDs.append(contentsOf: repeatElement(typeID, count: run.ids.count))
        guard keepsOffsets else { return }
        for origin in run.origins {
            offsets.append(Int(origin.start)..<max(Int(origin.start), Int(origin.end)))
        }
        words.append(contentsOf: run.words)
        sequences.append(contentsOf: repeatElement(sequence, count: run.ids.count))
    }

    /// Appends a special token.
    mutating func append(special id: Int32, typeID: Int32, keepsOffsets: Bool) {
        ids.append(id)
        typeIDs.append(typeID)
        guard keepsOffsets else { return }
        offsets.append(0..<0)
        words.append(-1)
        sequences.append(-1)
    }
}
