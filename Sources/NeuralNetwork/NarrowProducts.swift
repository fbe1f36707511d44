internal import CKernels
package import LinearAlgebra

/// Products of many rows with a few vectors, which general products are slow at.
///
/// What is computed for a row depends on that row alone, so that a batch may be cut anywhere.
package enum NarrowProducts {
    /// `output = rows · vectorsᵀ`.
    ///
    /// - Parameters:
    ///   - rows: [T, d].
    ///   - vectors: [r, d].
    ///   - output: [T, r], contiguous.
    package static func dots(_ rows: MatrixView, _ vectors: MatrixView, into output: MutableMatrixView) {
        precondition(rows.columns == vectors.columns && output.rows == rows.rows && output.columns == vectors.rows)
        note(rows.rows, vectors.rows, rows.columns, rightIsTransposed: true)
        kernel_dots(
            rows.base, rows.stride, vectors.base, vectors.stride, output.base, rows.rows, vectors.rows, rows.columns)
    }

    /// `output += factors · vectors`.
    ///
    /// - Parameters:
    ///   - factors: [T, r], contiguous.
    ///   - vectors: [r, d].
    ///   - output: [T, d].
    package static func addCombinations(_ factors: MatrixView, of vectors: MatrixView, to output: MutableMatrixView) {
        precondition(
            factors.columns == vectors.rows && output.rows == factors.rows && output.columns == vectors.columns)
        note(factors.rows, vectors.columns, vectors.rows, keeps: true)
        kernel_add_combinations(
            factors.base, vectors.base, vectors.stride, output.base, output.stride, factors.rows, vectors.rows,
            vectors.columns)
    }

    /// `output = factorsᵀ · rows`.
    ///
    /// - Parameters:
    ///   - factors: [T, r], contiguous.
    ///   - rows: [T, d].
    ///   - output: [r, d].
    package static func weightedSums(_ factors: MatrixView, of rows: MatrixView, into output: MutableMatrixView) {
        precondition(factors.rows == rows.rows && output.rows == factors.columns && output.columns == rows.columns)
        note(factors.columns, rows.columns, rows.rows, leftIsTransposed: true)
        kernel_weighted_sums(
            factors.base, rows.base, rows.stride, output.base, output.stride, rows.rows, factors.columns, rows.columns)
    }

    private static func note(
        _ rows: Int, _ columns: Int, _ inner: Int, leftIsTransposed: Bool = false, rightIsTransposed: Bool = false,
        keeps: Bool = false
    ) {
        WorkLog.note(
            WorkLog.Product(
                rows: rows, columns: columns, inner: inner, leftIsTransposed: leftIsTransposed,
                rightIsTransposed: rightIsTransposed, keeps: keeps))
    }
}
