import Diagnostics

/// BERT's tokenizer, read from a model folder, giving exactly the tokens of Hugging Face's `BertTokenizerFast`.
///
/// It takes no state from text to text, so that one may serve any number of threads.
public final class WordPieceTokenizer: Sendable {
    /// One more than the largest number that a token has; a text need not contain it, so an embedding may have fewer rows.
    public let vocabularySize: Int
    /// The number of the token for words that the vocabulary cannot spell, `[UNK]`.
    public let unknownID: Int32
    /// The number of `[CLS]`, in front of every sequence.
    public let classificationID: Int32
    /// The number of `[SEP]`, after every text.
    public let separatorID: Int32
    /// The number of `[PAD]`; nil if the vocabulary has none.
    public let paddingID: Int32?
    /// The number of `[MASK]`; nil if the vocabulary has none.
    public let maskID: Int32?

    /// Every token, to be named in messages.
    private let tokens: [(text: String, id: Int32)]
    private let normalizer: BertNormalizer
    private let vocabulary: WordPieceVocabulary
    private let writtenTokens: AddedTokens
    private let normalizedTokens: AddedTokens
    private let template: SequenceTemplate

    /// Reads the tokenizer of a Hugging Face model folder.
    ///
    /// `tokenizer.json` is read if there is one, else `vocab.txt`. As in transformers, `do_lower_case`, `strip_accents` and
    /// `tokenize_chinese_chars` of `tokenizer_config.json` count more than the normaliser of `tokenizer.json`; where neither
    /// file names them, text is lower-cased, ideographs are spaced, and accents are stripped if text is lower-cased.
    ///
    /// - Throws: `missingInput` if the folder or the files do not exist; `badData`, with the file, if one is not what it
    ///   should be or belongs to a tokenizer of another kind; `inputOutput` if reading fails.
    public convenience init(modelDirectory: String) throws(TextError) {
        self.init(try TokenizerDescription(modelDirectory: modelDirectory))
    }

    init(_ description: TokenizerDescription) {
        let special = description.special
        unknownID = special.unknown
        classificationID = special.classification
        separatorID = special.separator
        paddingID = special.padding
        maskID = special.mask
        tokens = description.tokens + description.addedTokens.map { ($0.content, $0.id) }
        var largestID = description.template.specialIDs.max() ?? 0
        for token in tokens { largestID = max(largestID, token.id) }
        vocabularySize = Int(largestID) + 1
        let normalizer = BertNormalizer(description.normalization)
        self.normalizer = normalizer
        vocabulary = WordPieceVocabulary(
            tokens: description.tokens, unknownID: special.unknown,
            continuationPrefix: description.continuationPrefix, longestWord: description.longestWord)
        template = description.template

        var (written, normalized) = (AddedTokens(), AddedTokens())
        for token in description.addedTokens {
            let content = Array(token.content.unicodeScalars)
            if token.isNormalized {
                normalized.insert(token, pattern: normalizer.normalized(content[...]))
            } else {
                written.insert(token, pattern: content)
            }
        }
        writtenTokens = written
        normalizedTokens = normalized
    }

    /// The numbers of a text, or of a pair of texts, with the special tokens around them.
    ///
    /// - Parameters:
    ///   - pair: the second text; an empty one still has its separator.
    ///   - maxLength: the largest number of tokens. What is over is cut as `longest_first` does: from the end of the text, of
    ///     the longer one until both are equally long. A length that has no room for the special tokens leaves these alone,
    ///     so the sequence is then longer than `maxLength`: ask `validate(maxLength:isPair:)` before.
    public func encode(_ text: String, pair: String? = nil, maxLength: Int? = nil) -> TokenizedText {
        template.assembled(tokens(of: text), pair.map(tokens), maxLength: maxLength)
    }

    /// The text of the token that has a number; nil if none has it.
    public func text(of id: Int32) -> String? { tokens.last { $0.id == id }?.text }

    /// The number of special tokens around one text, or around a pair.
    public func specialTokenCount(isPair: Bool) -> Int { template.specialTokenCount(isPair: isPair) }

    /// Checks that a sequence of `maxLength` tokens has room for the special tokens and at least one more for each text.
    ///
    /// - Throws: `usage` if it has not.
    public func validate(maxLength: Int, isPair: Bool) throws(TextError) {
        let least = specialTokenCount(isPair: isPair) + (isPair ? 2 : 1)
        guard maxLength >= least else {
            throw TextError(
                .usage,
                "a maximum length of \(maxLength) tokens: expected at least \(least), because a sequence of "
                    + (isPair ? "two texts" : "one text")
                    + " has \(specialTokenCount(isPair: isPair)) special tokens; set a larger max_length")
        }
    }

    /// The numbers of a text's own tokens.
    private func tokens(of text: String) -> [Int32] {
        let scalars = Array(text.unicodeScalars)
        var ids: [Int32] = []
        ids.reserveCapacity(scalars.count / 3)
        for part in writtenTokens.parts(of: scalars) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range): appendTokens(of: normalizer.normalized(scalars[range]), to: &ids)
            }
        }
        return ids
    }

    private func appendTokens(of normalized: [Unicode.Scalar], to ids: inout [Int32]) {
        for part in normalizedTokens.parts(of: normalized) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range): vocabulary.appendPieces(of: normalized, in: range, to: &ids)
            }
        }
    }
}
