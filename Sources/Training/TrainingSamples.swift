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
    ///   - tokenizer: of the network that is to read them.
    ///   - progressed: called for every thousandth sample.
    public init(
        _ table: TextTable, labels: ClassLabels?, tokenizer: ModelTokenizer, progressed: () -> Void = {}
    ) throws {
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
            let sequence = try tokenizer.sequence(
                row.text, pair: row.textPair, place: "\(table.path):\(row.line)")
            samples.append(Sample(sequence: sequence, target: target))
        }
        all = samples
        loss = labels == nil ? .meanSquaredError : .crossEntropy
    }
}
