/// Cuts normalised text into words, and words into the longest pieces that a vocabulary has.
///
/// Hugging Face's `BertPreTokenizer` followed by its `WordPiece` model.
struct WordPieceVocabulary: Sendable {
    /// The number that stands for a word that the vocabulary cannot spell.
    let unknownID: Int32
    private let pieces: ScalarTrie
    /// Where the pieces that continue a word begin; nil if the vocabulary has none.
    private let continuation: ScalarTrie.Node?
    private let longestWord: Int
    private let asciiClasses: [CharacterClass]

    private enum CharacterClass { case word, whiteSpace, punctuation }

    /// - Parameters:
    ///   - tokens: the vocabulary in file order; of two equal tokens the last one's number counts.
    ///   - continuationPrefix: what marks a piece that continues a word, "##".
    ///   - longestWord: a word of more scalars becomes `unknownID`.
    init(
        tokens: [(text: String, id: Int32)], unknownID: Int32, continuationPrefix: String, longestWord: Int
    ) {
        self.unknownID = unknownID
        self.longestWord = longestWord
        // A piece that is longer than the longest word with its prefix can never match.
        let longestPiece = longestWord.addingReportingOverflow(continuationPrefix.unicodeScalars.count)
        var pieces = ScalarTrie()
        for token in tokens where longestPiece.overflow || token.text.unicodeScalars.count <= longestPiece.partialValue
        {
            pieces.insert(token.text.unicodeScalars, value: token.id)
        }
        self.pieces = pieces
        continuation = pieces.node(after: continuationPrefix.unicodeScalars)
        asciiClasses = (0..<128).map { (value: UInt8) in Self.characterClass(Unicode.Scalar(value)) }
    }

    /// Appends the numbers of the pieces of normalised text.
    func appendPieces(of text: [Unicode.Scalar], in range: Range<Int>, to ids: inout [Int32]) {
        var wordStart = range.lowerBound
        for position in range {
            let scalar = text[position]
            let characterClass =
                scalar.value < 128 ? asciiClasses[Int(scalar.value)] : Self.characterClass(scalar)
            if characterClass == .word { continue }
            appendPieces(ofWord: wordStart..<position, in: text, to: &ids)
            if characterClass == .punctuation {
                appendPieces(ofWord: position..<position + 1, in: text, to: &ids)
            }
            wordStart = position + 1
        }
        appendPieces(ofWord: wordStart..<range.upperBound, in: text, to: &ids)
    }

    @inline(__always)
    private func appendPieces(ofWord word: Range<Int>, in text: [Unicode.Scalar], to ids: inout [Int32]) {
        if word.isEmpty { return }
        guard word.count <= longestWord else {
            ids.append(unknownID)
            return
        }
        let countBefore = ids.count
        var rest = word
        var node: ScalarTrie.Node? = ScalarTrie.root
        while !rest.isEmpty {
            guard let start = node, let match = pieces.longestMatch(in: text, rest, from: start) else {
                ids.removeSubrange(countBefore...)
                ids.append(unknownID)
                return
            }
            ids.append(match.value)
            rest = match.end..<word.upperBound
            node = continuation
        }
    }

    private static func characterClass(_ scalar: Unicode.Scalar) -> CharacterClass {
        if BertCharacters.isIdeograph(scalar) { return .word }
        if BertCharacters.isWhiteSpace(scalar) { return .whiteSpace }
        return BertCharacters.isPunctuation(scalar) ? .punctuation : .word
    }
}
