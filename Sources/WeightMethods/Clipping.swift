public import LinearAlgebra

/// Clipping: every weight into [−limit, limit], as PyTorch's `torch.clamp`.
///
/// - Returns: the number of weights that changed.
/// - Throws: ``WeightMethodError``, also for ±∞, which would pass for ±limit; nothing is changed then.
@discardableResult
public func clip(_ weights: MutableMatrixView, to limit: Float) throws(WeightMethodError) -> Int {
    try requireNotNegative(limit, "the limit")
    try weights.view.requireFinite()
    var changed = 0
    for row in 0..<weights.rows {
        let values = weights.row(row)
        for column in 0..<values.count where values[column].magnitude > limit {
            values[column] = values[column] > 0 ? limit : -limit
            changed += 1
        }
    }
    return changed
}
