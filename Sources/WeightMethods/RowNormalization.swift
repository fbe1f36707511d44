import CKernels
public import LinearAlgebra

/// The Euclidean norm of every row, in double precision.
public func rowNorms(of matrix: MatrixView) -> [Double] {
    (0..<matrix.rows).map { kernel_sum_of_squares(matrix.rowStart($0), matrix.columns).squareRoot() }
}

/// Weight normalisation: w/‖w‖₂ for every row w, as PyTorch's `F.normalize(W, dim=1)`.
///
/// A row of zeros stays. A row shorter than PyTorch's guard of 1e-12 becomes a unit row here, as any other.
///
/// - Returns: the number of rows of zeros.
/// - Throws: ``WeightMethodError/notFinite(row:column:value:)``; nothing is changed then.
@discardableResult
public func normalizeRows(_ weights: MutableMatrixView) throws(WeightMethodError) -> Int {
    try weights.view.requireFinite()
    var zeroRows = 0
    for row in 0..<weights.rows {
        let norm = kernel_sum_of_squares(weights.rowStart(row), weights.columns).squareRoot()
        guard norm > 0 else {
            zeroRows += 1
            continue
        }
        let values = weights.row(row)
        for column in 0..<values.count { values[column] = Float(Double(values[column]) / norm) }
    }
    return zeroRows
}
