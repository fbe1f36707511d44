internal import CKernels
public import LinearAlgebra

/// Dropout that no other pass over the rows takes along.
public final class DroppedRows {
    private let mask = MaskBuffer()
    private var activeMask: UnsafeMutablePointer<UInt8>?

    public init() {}

    /// `values = dropout(values)`, [T, columns], contiguous.
    public func apply(_ dropout: Dropout, to values: MutableMatrixView, batch: PackedBatch, pass: Pass) {
        activeMask = nil
        guard dropout.isActive(in: pass) else { return }
        let mask = mask.filled(by: dropout, columns: values.columns, batch: batch, pass: pass)
        kernel_apply_mask(values.base, mask, dropout.keepScale, values.base, values.rows * values.columns)
        activeMask = mask
    }

    /// The gradient of what the latest `apply` was given, in place of that of what it gave, [T, columns].
    public func applyBackward(_ dropout: Dropout, to gradient: MutableMatrixView) {
        guard let activeMask else { return }
        kernel_apply_mask(
            gradient.base, activeMask, dropout.keepScale, gradient.base, gradient.rows * gradient.columns)
    }
}
