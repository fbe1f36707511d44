internal import CKernels
public import LinearAlgebra

/// The sum of embeddings: word, position and segment.
public struct Embedding {
    /// [vocabulary, hidden], [positions, hidden], [segments, hidden].
    public let words: FrozenMatrix
    public let positions: MatrixView
    public let segments: MatrixView
    /// Where words, positions and segments lie among the trained parameters, if they are trained.
    public let trained: [ParameterLayout.Block]?

    /// - Parameter trained: words, positions, segments; nil for tables that stay as they are.
    public init(
        words: FrozenMatrix, positions: MatrixView, segments: MatrixView, trained: [ParameterLayout.Block]? = nil
    ) {
        precondition(trained.map { $0.count == 3 } ?? true)
        self.words = words
        self.positions = positions
        self.segments = segments
        self.trained = trained
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

    /// Sets the gradients of the tables, where they are trained.
    ///
    /// - Parameter gradient: of the sum, [T, hidden].
    public func backward(_ gradient: MatrixView, batch: PackedBatch, gradients: LaneGradients) {
        for (block, entries) in zip(trained ?? [], [batch.tokens, batch.positions, batch.types]) {
            gradients.set(block) { lane, table in
                table.update(repeating: 0, count: block.elements.count)
                for row in batch.lanes[lane].rows {
                    kernel_add(
                        table + Int(entries[row]) * gradient.columns, gradient.rowStart(row), gradient.columns)
                }
            }
        }
    }
}
