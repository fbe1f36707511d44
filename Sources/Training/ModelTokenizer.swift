import Diagnostics
public import Models
public import NeuralNetwork
import Tokenization

/// A tokenizer beside the network that reads its numbers: what leaves it, the network's tables have rows for.
///
/// What a text gives is checked, not what the vocabulary lists: a token that no text contains needs no row.
public struct ModelTokenizer: Sendable {
    /// Tokens of a sequence, special tokens included; longer texts are cut.
    public let maximumLength: Int
    private let tokenizer: Tokenizer
    private let truncation: Truncation
    private let folder: String
    private let vocabularySize: Int
    /// Nil where the network reads none.
    private let segmentCount: Int?
    private let positionCount: Int

    /// Reads the tokenizer of a model's folder.
    ///
    /// - Parameters:
    ///   - encoder: the network.
    ///   - isPair: whether the texts are pairs; those of a network that was trained on single texts may be pairs nevertheless.
    /// - Throws: `TokenizationError`, and ``TrainingError`` if the network cannot take the special tokens around every text.
    public init(folder: String, encoder: TextEncoder, maximumLength: Int, isPair: Bool) throws {
        self.folder = folder
        self.maximumLength = maximumLength
        tokenizer = try Tokenizer(modelDirectory: folder)
        truncation = Truncation(maxLength: maximumLength, truncatesStart: tokenizer.truncatesStart)
        vocabularySize = encoder.limits.vocabularySize
        segmentCount = encoder.limits.segmentCount
        positionCount = encoder.limits.longestSequence
        let count = tokenizer.specialTokenCount(isPair: isPair)
        let least = count + (isPair ? 2 : 1)
        guard maximumLength >= least else {
            throw TrainingError(
                .usage,
                "a maximum length of \(maximumLength) tokens: expected at least \(least), because a sequence of "
                    + "\(isPair ? "two texts" : "one text") has \(count) special tokens; set a larger max_length")
        }
        let special = try encode("", pair: isPair ? "" : nil, place: "the special tokens of a text")
        try checkTables(special.ids[...], segments: special.typeIDs[...], "the special tokens of a text")
    }

    /// A text, or a pair of texts, as the network reads it.
    ///
    /// - Parameter place: of the text, for messages.
    /// - Throws: ``TrainingError`` for what the network has no row for.
    public func sequence(
        _ text: String, pair: String? = nil, place: @autoclosure () -> String
    ) throws(TrainingError) -> TokenSequence {
        let tokens = try encode(text, pair: pair, place: place())
        try check(tokens.ids[...], segments: tokens.typeIDs[...], place: place())
        return TokenSequence(tokens: tokens.ids, types: tokens.typeIDs)
    }

    /// The numbers of a text, or a pair, which are still to be checked.
    ///
    /// - Throws: ``TrainingError`` for a text that the vocabulary cannot spell.
    func encode(
        _ text: String, pair: String?, place: @autoclosure () -> String
    ) throws(TrainingError) -> Encoding {
        do {
            return try tokenizer.encode(text, pair: pair, truncation: truncation)
        } catch {
            throw TrainingError(error.kind, "\(place()): \(error.description)")
        }
    }

    /// Checks numbers that ``encode(_:pair:place:)`` gave.
    ///
    /// - Parameters:
    ///   - segments: of the tokens; none where all are 0.
    ///   - place: of the text, for messages.
    /// - Throws: ``TrainingError`` for what the network has no row for.
    func check(
        _ tokens: ArraySlice<Int32>, segments: ArraySlice<Int32>, place: @autoclosure () -> String
    ) throws(TrainingError) {
        try checkTables(tokens, segments: segments, place())
        guard !tokens.isEmpty else {
            throw TrainingError(
                .badData,
                "\(place()): no token, and the tokenizer of \(folder) puts none around a text; leave the text out")
        }
    }

    private func checkTables(
        _ tokens: ArraySlice<Int32>, segments: ArraySlice<Int32>, _ place: @autoclosure () -> String
    ) throws(TrainingError) {
        if let id = tokens.max(), Int(id) >= vocabularySize {
            let name = tokenizer.token(id).map { "the token '\($0)'" } ?? "a token"
            throw TrainingError(
                .badData,
                "\(place()): \(name) has the number \(id), but the word embedding of \(folder) has \(vocabularySize) rows "
                    + "(0 to \(vocabularySize - 1)); use the tokenizer's files of this very model, or enlarge its embedding"
            )
        }
        if let segmentCount, let segment = segments.max(), Int(segment) >= segmentCount {
            throw TrainingError(
                .badData,
                "\(place()): a token of segment \(segment), but the model in \(folder) knows \(segmentCount) "
                    + "(type_vocab_size); "
                    + (segmentCount == 1 ? "give single texts" : "use the tokenizer's files of this very model"))
        }
        guard tokens.count <= positionCount else {
            throw TrainingError(
                .badData,
                "\(place()): \(tokens.count) tokens, but the model in \(folder) reads at most \(positionCount); "
                    + "use the tokenizer's files of this very model")
        }
    }
}
