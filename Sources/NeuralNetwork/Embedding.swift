public import LinearAlgebra

/// The sum of frozen embeddings: word, position and segment.
public struct Embedding {
    /// [vocabulary, hidden], [positions, hidden], [segments, hidden].
    public let words: FrozenMatrix
    public let positions: MatrixView
    public let segments: MatrixView

    public init(words: FrozenMatrix, positions: MatrixView, segments: MatrixView) {
        self.words = words
        self.positions = positions
        self.segments = segments
    }

    /// - Parameter output: [T, hidden].
    /// - Precondition: tokens, positions and segments lie within the tables; the caller checks its data against them.
    public func forward(_ batch: PackedBatch, into output: MutableMatrixView) {
        for row in 0..<batch.rowCount {
            let result = output.row(row)
            let position = positions.row(Int(batch.positions[row]))
            let segment = segments.row(Int(batch.types[row]))
            let token = Int(batch.tokens[row])
            switch words {
            case .plain(let words): output.rowStart(row).update(from: words.rowStart(token), count: output.columns)
            case .quantized(let words): words.dequantize(token..<token + 1, into: output.rowStart(row))
            }
            for column in 0..<output.columns {
                result[column] = result[column] + segment[column] + position[column]
            }
        }
    }
}
