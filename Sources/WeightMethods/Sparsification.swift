import AdaLoRA
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

/// Sparsification to a number of weights: the `count` of the largest magnitude stay, of equal ones those that come first.
///
/// - Returns: the number of weights that became 0.
/// - Throws: ``WeightMethodError``; nothing is changed then.
@discardableResult
public func sparsify(_ weights: MutableMatrixView, keeping count: Int) throws(WeightMethodError) -> Int {
    guard count >= 0 else { throw .badSetting("\(count) weights are to stay, expected a count from 0") }
    try weights.view.requireFinite()
    var magnitudes: [Float] = []
    magnitudes.reserveCapacity(weights.rows * weights.columns)
    for row in 0..<weights.rows { magnitudes += weights.view.row(row).lazy.map(\.magnitude) }
    let kept = Selection(scores: magnitudes, budget: count).kept
    var dropped = 0
    for row in 0..<weights.rows {
        let values = weights.row(row)
        for column in 0..<values.count where !kept[row * values.count + column] && values[column] != 0 {
            values[column] = 0
            dropped += 1
        }
    }
    return dropped
}
