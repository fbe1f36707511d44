/// The tokens of one sample, with the special tokens in place.
public struct TokenSequence: Sendable, Equatable {
    public let tokens: [Int32]
    /// Segment of each token: 0 for the first text, 1 for the second of a pair.
    public let types: [Int32]

    public init(tokens: [Int32], types: [Int32]) {
        precondition(tokens.count == types.count)
        self.tokens = tokens
        self.types = types
    }
}

/// Sequences of different lengths laid one after another without padding to a common length: one row for each token.
///
/// The sequences come in *lanes*, the fixed parts of the global batch within which gradients are summed.
public struct PackedBatch: Sendable, Equatable {
    public struct Sequence: Sendable, Equatable {
        /// Place of the sample in the global batch, counted from 0; random numbers are drawn by it.
        public let slot: Int
        public let rows: Range<Int>
    }

    public struct Lane: Sendable, Equatable {
        /// Number of the lane in the global batch.
        public let index: Int
        public let rows: Range<Int>
        /// The lane's part of `sequences`.
        public let sequences: Range<Int>
    }

    public let sequences: [Sequence]
    public let lanes: [Lane]
    /// [rows]
    public let tokens: [Int32]
    public let positions: [Int32]
    public let types: [Int32]

    /// Rows of all sequences.
    public var rowCount: Int { tokens.count }

    /// Lays out consecutive lanes.
    ///
    /// - Parameters:
    ///   - lanes: the sequences of each lane, none of them empty.
    ///   - firstLane: number of the first of them in the global batch.
    ///   - firstSlot: place in the global batch of its first sequence.
    public init(lanes laneSequences: [[TokenSequence]], firstLane: Int, firstSlot: Int) {
        var sequences: [Sequence] = []
        var lanes: [Lane] = []
        var tokens: [Int32] = []
        var positions: [Int32] = []
        var types: [Int32] = []
        for (offset, lane) in laneSequences.enumerated() {
            let firstRow = tokens.count
            let firstSequence = sequences.count
            for sequence in lane {
                precondition(!sequence.tokens.isEmpty)
                sequences.append(
                    Sequence(
                        slot: firstSlot + sequences.count, rows: tokens.count..<tokens.count + sequence.tokens.count))
                tokens += sequence.tokens
                types += sequence.types
                positions += 0..<Int32(sequence.tokens.count)
            }
            lanes.append(
                Lane(
                    index: firstLane + offset, rows: firstRow..<tokens.count,
                    sequences: firstSequence..<sequences.count))
        }
        self.sequences = sequences
        self.lanes = lanes
        self.tokens = tokens
        self.positions = positions
        self.types = types
    }

    init(sequences: [Sequence], lanes: [Lane], tokens: [Int32], positions: [Int32], types: [Int32]) {
        self.sequences = sequences
        self.lanes = lanes
        self.tokens = tokens
        self.positions = positions
        self.types = types
    }

    /// The batch whose rows are the samples: one row for each sequence, lanes and slots as here.
    public func samples() -> PackedBatch {
        let single = TokenSequence(tokens: [0], types: [0])
        return PackedBatch(
            lanes: lanes.map { Array(repeating: single, count: $0.sequences.count) },
            firstLane: lanes.first?.index ?? 0, firstSlot: sequences.first?.slot ?? 0)
    }

    /// A batch of one lane whose samples all have as many rows.
    public static func oneLane(samples: Int, rowsEach: Int, firstSlot: Int = 0) -> PackedBatch {
        let sample = TokenSequence(
            tokens: Array(repeating: 0, count: rowsEach), types: Array(repeating: 0, count: rowsEach))
        return PackedBatch(
            lanes: [Array(repeating: sample, count: rowsEach > 0 ? samples : 0)], firstLane: 0,
            firstSlot: firstSlot)
    }

    /// This batch, where it is what ``oneLane(samples:rowsEach:firstSlot:)`` would give; else that.
    public func reused(samples: Int, rowsEach: Int, firstSlot: Int = 0) -> PackedBatch {
        lanes.count == 1 && sequences.count == samples && rowCount == samples * rowsEach
            && sequences.first?.slot ?? firstSlot == firstSlot
            ? self : .oneLane(samples: samples, rowsEach: rowsEach, firstSlot: firstSlot)
    }
}
