import Diagnostics
import MessagePassing
public import NeuralNetwork
public import Text
import Tokenization

/// The labelled, tokenised samples of one file.
public struct TrainingSamples: Sendable {
    public struct Sample: Sendable {
        public let sequence: TokenSequence
        /// The class, or the number to predict.
        public let target: Float
    }

    /// Has every process tokenise its part of so many rows, and gives back the numbers of all parts in their order. Alone:
    /// calls the closure with all rows.
    public typealias Sharing = (_ rowCount: Int, _ part: (Range<Int>) throws -> [Int32]) throws -> [Int32]

    /// All sequences, one after another: the number of tokens, negative if segments follow; the tokens; the segments
    /// unless all are 0.
    private let numbers: [Int32]
    /// Where each sample starts in `numbers`.
    private let starts: [Int]
    public let targets: [Float]
    public let loss: Loss
    /// What a user should be told of the file, a line each.
    public let remarks: [String]

    /// Tokenises the rows of a table. Every row's label is checked before.
    ///
    /// - Parameters:
    ///   - labels: the classes, or nil for a regression.
    ///   - tokenizer: of the network that is to read them.
    ///   - sharing: deals rows to processes, all of which then have to make the same samples.
    ///   - progressed: called for every thousandth sample or so, with the number of those that are done.
    public init(
        _ table: TextTable, labels: ClassLabels?, tokenizer: ModelTokenizer,
        sharing: Sharing = { rowCount, part in try part(0..<rowCount) },
        progressed: @escaping (_ done: Int) -> Void = { _ in }
    ) throws {
        targets = try Self.targets(of: table, labels: labels)
        loss = labels == nil ? .meanSquaredError : .crossEntropy
        remarks = table.remarks
        let count = table.rows.count
        let numbers = try sharing(count) { rows in
            var part: [Int32] = []
            for (index, row) in zip(rows, table.rows[rows]) {
                if index % 1_000 == 0 { progressed(index) }
                let text = try tokenizer.encode(
                    row.text, pair: row.textPair, place: "\(table.path):\(row.line)")
                let hasSegments = text.typeIDs.contains { $0 != 0 }
                part.append(Int32(hasSegments ? -text.ids.count : text.ids.count))
                part += text.ids
                if hasSegments { part += text.typeIDs }
            }
            return part
        }
        var starts: [Int] = []
        starts.reserveCapacity(count)
        var position = 0
        // Checked on every process, so that all of them end with the same row.
        for row in table.rows {
            starts.append(position)
            let length = abs(Int(numbers[position]))
            let tokens = position + 1..<position + 1 + length
            let segments = tokens.upperBound..<tokens.upperBound + (numbers[position] < 0 ? length : 0)
            try tokenizer.check(numbers[tokens], segments: numbers[segments], place: "\(table.path):\(row.line)")
            position = segments.upperBound
        }
        (self.numbers, self.starts) = (numbers, starts)
    }

    /// The classes or numbers to predict of all rows of a table.
    ///
    /// - Throws: `TextError` naming the first line whose label is none.
    static func targets(of table: TextTable, labels: ClassLabels?) throws(TextError) -> [Float] {
        var targets: [Float] = []
        targets.reserveCapacity(table.rows.count)
        for row in table.rows {
            let target =
                if let labels {
                    Float(try labels.index(of: row, path: table.path))
                } else {
                    try regressionTarget(of: row, path: table.path)
                }
            targets.append(target)
        }
        return targets
    }

    public var count: Int { starts.count }

    /// Tokens of a sample.
    public func tokenCount(of index: Int) -> Int { abs(Int(numbers[starts[index]])) }

    public subscript(index: Int) -> Sample {
        let first = starts[index] + 1
        let length = tokenCount(of: index)
        let tokens = Array(numbers[first..<first + length])
        let types =
            numbers[first - 1] < 0
            ? Array(numbers[first + length..<first + 2 * length]) : [Int32](repeating: 0, count: length)
        return Sample(sequence: TokenSequence(tokens: tokens, types: types), target: targets[index])
    }
}

extension Communicator {
    /// Has every process tokenise its part of the rows, and gives all of them to every process: ``TrainingSamples/Sharing``.
    /// Collective.
    ///
    /// - Throws: ``TrainingError`` if the processes do not have as many rows, as their files then differ.
    borrowing func shareTokenizing(
        of rowCount: Int, _ part: (Range<Int>) throws -> [Int32]
    ) throws -> [Int32] {
        let counts = try allGathered([Int64(rowCount)])
        if let other = counts.firstIndex(where: { $0 != counts[0] }) {
            throw TrainingError(
                .usage,
                "process \(other) reads \(counts[other]) rows of training data, process 0 reads \(counts[0]); all processes must "
                    + "run on the same files")
        }
        var numbers: [Int32] = []
        // Stretches bound what one exchange holds.
        let stretch = 1 << 16
        for first in stride(from: 0, to: rowCount, by: stretch) {
            let length = min(stretch, rowCount - first)
            func start(ofProcess process: Int) -> Int { first + process * length / processCount }
            numbers += try allGathered(
                varying: try part(start(ofProcess: processIndex)..<start(ofProcess: processIndex + 1))
            ).elements
        }
        return numbers
    }
}
