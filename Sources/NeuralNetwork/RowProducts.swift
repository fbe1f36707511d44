public import LinearAlgebra

/// Products of all rows of a batch with one frozen matrix, with the same bits for a row whatever else is in the batch.
public struct RowProducts: Sendable {
    public let alignment: RowAlignment

    public init(alignment: RowAlignment) {
        self.alignment = alignment
    }

    /// `result = input · weightᵀ + keep · result` (`transposed`, weight [outputs, inputs]) or
    /// `input · weight + keep · result` (`none`, weight [inputs, outputs]) for all rows of the batch.
    func multiply(
        _ input: MatrixView, _ weight: MatrixView, _ transposition: Transposition, keep: Float = 0,
        into result: MutableMatrixView, batch: PackedBatch
    ) {
        let shape = RowAlignment.Shape(
            inputs: input.columns, outputs: result.columns, storedTransposed: transposition == .transposed)
        func multiplyRows(_ rows: Range<Int>) {
            WorkLog.measure(.products) {
                LinearAlgebra.multiply(
                    input[rows: rows], .none, weight, transposition, keep: keep, into: result[rows: rows])
            }
        }
        if alignment.unaligned.contains(shape) {
            for lane in batch.lanes { multiplyRows(lane.rows) }
        } else {
            let longest = RowAlignment.longestProduct
            for start in stride(from: 0, to: batch.rowCount, by: longest) {
                multiplyRows(start..<min(start + longest, batch.rowCount))
            }
        }
    }
}
