public import NeuralNetwork
public import Text

/// The labelled, tokenised samples of one file, one after another in a few large arrays: four bytes for each token, and sixteen
/// for each sample.
public struct TrainingSamples: Sendable {
    public struct Sample: Sendable {
        public let sequence: TokenSequence
        /// The class, or the number to predict.
        public let target: Float
    }

    public let loss: Loss
    /// What a user should know of the file although it can be used, a line each.
    public let remarks: [String]
    /// The class, or the number to predict, of each sample.
    public let targets: [Float]
    /// Tokens of the longest sample.
    public private(set) var longest = 0

    /// Of all samples; those of sample i are the elements from `ends[i]` to before `ends[i + 1]`.
    private var tokens: [Int32] = []
    /// Of the tokens, where any is not 0; else empty.
    private var types: [Int32] = []
    private var ends: [Int] = [0]

    public var count: Int { targets.count }

    public subscript(index: Int) -> Sample { Sample(sequence: sequence(index), target: targets[index]) }

    /// Tokens of a sample.
    public func length(of index: Int) -> Int { ends[index + 1] - ends[index] }

    /// The tokens of a sample.
    public func sequence(_ index: Int) -> TokenSequence {
        let range = ends[index]..<ends[index + 1]
        return TokenSequence(
            tokens: Array(tokens[range]),
            types: types.isEmpty ? Array(repeating: 0, count: range.count) : Array(types[range]))
    }

    /// Tokenises the rows of a table.
    ///
    /// - Parameters:
    ///   - labels: the classes, or nil for a regression.
    ///   - maximumLength: tokens of a sample, special tokens included; longer ones are truncated.
    ///   - progressed: called for every thousandth sample.
    public init(
        _ table: TextTable, labels: ClassLabels?, tokenizer: WordPieceTokenizer, maximumLength: Int,
        progressed: () -> Void = {}
    ) throws(TextError) {
        let targets = try table.targets(labels)
        self.targets = targets
        loss = labels == nil ? .meanSquaredError : .crossEntropy
        let classes = labels.flatMap { $0.remark(onUnused: Set(targets.map { Int($0) }), path: table.path) }
        remarks = table.remarks + (classes.map { [$0] } ?? [])
        ends.reserveCapacity(table.rows.count + 1)
        for (index, row) in table.rows.enumerated() {
            if index % 1_000 == 0 { progressed() }
            append(tokenizer.sequence(row.text, pair: row.textPair, maximumLength: maximumLength))
        }
    }

    private mutating func append(_ sequence: TokenSequence) {
        let hasTypes = sequence.types.contains { $0 != 0 }
        if hasTypes, types.isEmpty { types = Array(repeating: 0, count: tokens.count) }
        if hasTypes || !types.isEmpty { types += sequence.types }
        tokens += sequence.tokens
        ends.append(tokens.count)
        longest = max(longest, sequence.tokens.count)
    }
}

extension TextTable {
    /// The class of each row, or the number that it has for a regression.
    ///
    /// - Parameter labels: the classes, or nil for a regression.
    /// - Throws: `badData` naming the line of a label that is missing, or is no class or no number.
    func targets(_ labels: ClassLabels?) throws(TextError) -> [Float] {
        var targets: [Float] = []
        targets.reserveCapacity(rows.count)
        for row in rows {
            guard let labels else {
                targets.append(try regressionTarget(of: row, path: path))
                continue
            }
            targets.append(Float(try labels.index(of: row, path: path)))
        }
        return targets
    }
}

extension WordPieceTokenizer {
    /// A text, or a pair of texts, as the network reads it.
    public func sequence(_ text: String, pair: String? = nil, maximumLength: Int) -> TokenSequence {
        let tokenized = encode(text, pair: pair, maxLength: maximumLength)
        return TokenSequence(tokens: tokenized.ids, types: tokenized.typeIDs)
    }
}
