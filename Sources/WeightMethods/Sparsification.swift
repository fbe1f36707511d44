public import LinearAlgebra

/// Sparsification: w where |w| ≥ threshold, otherwise 0, as PyTorch's `torch.where(w.abs() >= τ, w, 0)` (and not
/// `hardshrink`, which drops |w| = τ).
///
/// With the b-th largest magnitude for the threshold, and no ties, this is AdaLoRA's top-b.
///
/// - Returns: the number of weights that became 0.
/// - Throws: ``WeightMethodError``; nothing is changed then.
@discardableResult
public func sparsify(_ weights: MutableMatrixView, below threshold: Float) throws(WeightMethodError) -> Int {
    try requireNotNegative(threshold, "the threshold")
    try weights.view.requireFinite()
    var dropped = 0
    for row in 0..<weights.rows {
        let values = weights.row(row)
        for column in 0..<values.count where values[column].magnitude < threshold && values[column] != 0 {
            values[column] = 0
            dropped += 1
        }
    }
    return dropped
}
