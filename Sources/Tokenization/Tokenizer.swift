import Diagnostics
import Synchronization

/// A tokenizer as `tokenizer.json` describes it: what normalises a text, cuts it, makes tokens of the pieces, and puts special
/// tokens around them; and the way back.
///
/// It does what the `tokenizers` library does with the same file: the same ids, and the same offsets.
public struct Tokenizer: Sendable {
    let model: TokenModel
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let postProcessor: PostProcessor
    let decoder: Decoder?
    /// The added tokens, in the order of the file.
    public let addedTokens: [AddedToken]
    /// What the file says about lengths. As in transformers, it counts only where it is asked for.
    public let truncation: Truncation?
    /// Whether the model's files want what is too long to be cut at its beginning.
    public let truncatesStart: Bool

    let writtenTokens: AddedTokenSearch
    let normalizedTokens: AddedTokenSearch
    /// The added tokens as they are looked for: normalised, where that is asked for.
    private let addedSpellings: [Int32: [UInt8]]
    let specialContents: Set<[UInt8]>
    let memories = MemoryPool()

    init(
        model: TokenModel, normalizer: Normalizer? = nil, preTokenizer: PreTokenizer? = nil,
        postProcessor: PostProcessor = PostProcessor(), decoder: Decoder? = nil, addedTokens: [AddedToken] = [],
        truncation: Truncation? = nil, truncatesStart: Bool? = nil
    ) {
        self.truncatesStart = truncatesStart ?? truncation?.truncatesStart ?? false
        self.model = model
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.postProcessor = postProcessor
        self.decoder = decoder
        self.addedTokens = addedTokens
        self.truncation = truncation
        var (written, normalized) = (AddedTokenSearch(), AddedTokenSearch())
        var spellings: [Int32: [UInt8]] = [:]
        // Special tokens come first where two are looked for as the same text.
        for token in addedTokens.filter(\.isSpecial) + addedTokens.filter({ !$0.isSpecial }) {
            var pattern = Array(token.content.utf8)
            if token.isNormalized {
                let text = AlignedText(pattern, keepsOrigins: false)
                pattern = normalizer?.normalized(text).bytes ?? pattern
                normalized.insert(token, pattern: pattern)
            } else {
                written.insert(token, pattern: pattern)
            }
            spellings[token.id] = pattern
        }
        writtenTokens = written
        normalizedTokens = normalized
        addedSpellings = spellings
        specialContents = Set(addedTokens.filter(\.isSpecial).map { Array($0.content.utf8) })
    }

    /// One more than the largest number of a token.
    public var vocabularySize: Int {
        max(Int(model.vocabulary.largestID), addedTokens.map { Int($0.id) }.max() ?? -1) + 1
    }

    /// The number of a token; nil if there is no such token.
    public func id(of token: String) -> Int32? {
        let bytes = Array(token.utf8)
        return addedTokens.last { $0.content.utf8.elementsEqual(bytes) }?.id ?? model.vocabulary.id(of: bytes)
    }

    /// The token with a number, as the vocabulary or the list of added ones spells it; nil if there is none.
    public func token(_ id: Int32) -> String? {
        addedTokens.last { $0.id == id }?.content ?? spelling(id).map { String(decoding: $0, as: UTF8.self) }
    }

    func spelling(_ id: Int32) -> ArraySlice<UInt8>? {
        addedSpellings[id]?[...] ?? model.vocabulary.token(id)
    }

    /// The number of special tokens around one text, or around a pair.
    public func specialTokenCount(isPair: Bool) -> Int { postProcessor.specialCount(isPair: isPair) }
}

/// Memories for encodings that run at the same time.
final class MemoryPool: Sendable {
    private let idle = Mutex<[ModelMemory]>([])

    func take() -> ModelMemory { idle.withLock { $0.popLast() } ?? ModelMemory() }

    func put(_ memory: ModelMemory) { idle.withLock { $0.append(memory) } }
}
