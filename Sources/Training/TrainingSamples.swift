public import NeuralNetwork
public import Text

/// The labelled, tokenised samples of one file.
public struct TrainingSamples: Sendable {
    public struct Sample: Sendable {
        public let sequence: TokenSequence
        /// The class, or the number to predict.
        public let target: Float
    }

    public let all: [Sample]
    public let loss: Loss

    public var count: Int { all.count }
    public subscript(index: Int) -> Sample { all[index] }

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
        var samples: [Sample] = []
        samples.reserveCapacity(table.rows.count)
        for row in table.rows {
            if samples.count % 1_000 == 0 { progressed() }
            let target =
                if let labels {
                    Float(try labels.index(of: row, path: table.path))
                } else {
                    try regressionTarget(of: row, path: table.path)
                }
            let sequence = tokenizer.sequence(row.text, pair: row.textPair, maximumLength: maximumLength)
            samples.append(Sample(sequence: sequence, target: target))
        }
        all = samples
        loss = labels == nil ? .meanSquaredError : .crossEntropy
    }
}

extension WordPieceTokenizer {
    /// A text, or a pair of texts, as the network reads it.
    public func sequence(_ text: String, pair: String? = nil, maximumLength: Int) -> TokenSequence {
        let tokenized = encode(text, pair: pair, maxLength: maximumLength)
        return TokenSequence(tokens: tokenized.ids, types: tokenized.typeIDs)
    }
}
