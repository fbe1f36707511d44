import Diagnostics

/// A token of a piece, with where in the piece it lies, in bytes.
struct ModelToken: Equatable {
    var id: Int32
    var start: Int32
    var end: Int32

    @inline(__always)
    init(_ id: Int32, _ start: Int, _ end: Int) {
        self.id = id
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }
}

/// What makes tokens of a piece.
enum TokenModel: Sendable {
    case wordPiece(WordPiece)
    case bytePairs(BytePairEncoding)
    case unigram(Unigram)
    case words(WordLevel)

    var vocabulary: Vocabulary {
        switch self {
        case .wordPiece(let model): model.vocabulary
        case .bytePairs(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        case .words(let model): model.vocabulary
        }
    }

    /// How many tokens the model has: the number that the first added one gets.
    var size: Int {
        if case .unigram(let model) = self { model.pieceCount } else { vocabulary.count }
    }

    /// Appends the tokens of a piece; those of a short piece that was seen before are remembered.
    @inline(__always)
    func append(
        _ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken], _ memory: ModelMemory
    ) throws(TokenizationError) {
        guard piece.count <= PieceCache.longestPiece else { return try appendAnew(bytes, piece, to: &tokens, memory) }
        let hash = byteHash(bytes, piece)
        if memory.cache.append(bytes, piece, hash, to: &tokens) { return }
        let start = tokens.count
        try appendAnew(bytes, piece, to: &tokens, memory)
        memory.cache.insert(bytes, piece, hash, tokens[start...])
    }

    private func appendAnew(
        _ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken], _ memory: ModelMemory
    ) throws(TokenizationError) {
        switch self {
        case .wordPiece(let model): try model.append(bytes, piece, to: &tokens)
        case .bytePairs(let model): try model.append(bytes, piece, to: &tokens, &memory.merges)
        case .unigram(let model): try model.append(bytes, piece, to: &tokens, &memory.path)
        case .words(let model): try model.append(bytes, piece, to: &tokens)
        }
    }
}

/// What one encoding after another uses again: remembered pieces, and room to work in.
///
/// An encoding takes one from the tokenizer's pool and has it alone until it gives it back.
final class ModelMemory: @unchecked Sendable {
    var cache = PieceCache()
    var merges = BytePairEncoding.Workspace()
    var path: [Unigram.Node] = []
    var tokens: [ModelToken] = []
}

/// Encodes one word as one token.
struct WordLevel: Sendable {
    let vocabulary: Vocabulary
    /// What stands for words that the vocabulary lacks.
    let unknown: Int32?

    func append(_ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken]) throws(TokenizationError) {
        guard let id = vocabulary.id(of: bytes, piece) ?? unknown else { throw .missingUnknown(bytes[piece]) }
        tokens.append(ModelToken(id, 0, piece.count))
    }
}

extension TokenizationError {
    /// A text that has what the vocabulary lacks, where the tokenizer has nothing to stand for it.
    static func missingUnknown(_ text: some Sequence<UInt8>) -> TokenizationError {
        TokenizationError(
            .badData,
            "\(quoted(text)) is not in the vocabulary, and the tokenizer has no unknown token to stand for it; "
                + "the tokenizer's files are incomplete")
    }
}
