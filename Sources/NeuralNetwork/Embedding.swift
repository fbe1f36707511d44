internal import CKernels
public import LinearAlgebra

/// The sum of embeddings: a row of each table for each row of a batch.
public struct Embedding {
    /// What a batch's row asks a table for.
    public enum Index: Sendable, Equatable {
        /// The token.
        case tokens
        /// Its place in its sequence, from 0, and so many rows further.
        case positions(offset: Int)
        /// Its segment.
        case segments
    }

    public struct Table {
        /// [rows, hidden].
        public let tensor: NetworkTensor
        public let index: Index

        public init(_ tensor: NetworkTensor, _ index: Index) {
            self.tensor = tensor
            self.index = index
        }

        func row(of row: Int, in batch: PackedBatch) -> Int {
            switch index {
            case .tokens: Int(batch.tokens[row])
            case .positions(let offset): min(max(Int(batch.positions[row]) + offset, 0), tensor.shape[0] - 1)
            case .segments: Int(batch.types[row])
            }
        }
    }

    /// Summed in this order. The first may be held in codes.
    public let tables: [Table]

    /// - Parameter tables: at least one, all of one width.
    public init(_ tables: [Table]) {
        precondition(!tables.isEmpty)
        self.tables = tables
    }

    public var columns: Int { tables[0].tensor.shape[1] }
    public var isTrained: Bool { tables.contains { $0.tensor.block != nil } }

    /// - Parameter output: [T, hidden].
    /// - Precondition: tokens and segments lie within the tables; the caller checks its data against them.
    public func forward(_ batch: PackedBatch, into output: MutableMatrixView) {
        let columns = output.columns
        let first = tables[0].tensor.matrix
        let others = tables.dropFirst().map { ($0, $0.tensor.values) }
        for row in 0..<batch.rowCount {
            let result = output.rowStart(row)
            let entry = tables[0].row(of: row, in: batch)
            switch first {
            case .plain(let table): result.update(from: table.rowStart(entry), count: columns)
            case .quantized(let codes): codes.dequantize(entry..<entry + 1, into: result)
            }
            for (table, values) in others {
                kernel_add(result, values + table.row(of: row, in: batch) * columns, columns)
            }
        }
    }

    /// Sets the gradients of the tables, where they are trained.
    ///
    /// - Parameter gradient: of the sum, [T, hidden].
    public func backward(_ gradient: MatrixView, batch: PackedBatch, gradients: LaneGradients) {
        for table in tables {
            table.tensor.setGradients(in: gradients) { lane, values in
                values.update(repeating: 0, count: table.tensor.elementCount)
                for row in batch.lanes[lane].rows {
                    kernel_add(
                        values + table.row(of: row, in: batch) * gradient.columns, gradient.rowStart(row),
                        gradient.columns)
                }
            }
        }
    }
}
