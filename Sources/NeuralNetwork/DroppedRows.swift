internal import CKernels
public import LinearAlgebra

/// Dropout that no other pass over the rows takes along. It has no backward pass: it stands on frozen embeddings, below
/// which nothing is trained.
public final class DroppedRows {
    private let mask = MaskBuffer()

    public init() {}

    /// `values = dropout(values)`, [T, columns], contiguous.
    public func apply(_ dropout: Dropout, to values: MutableMatrixView, batch: PackedBatch, pass: Pass) {
        guard dropout.isActive(in: pass) else { return }
        let mask = mask.filled(by: dropout, columns: values.columns, batch: batch, pass: pass)
        kernel_apply_mask(values.base, mask, dropout.keepScale, values.base, values.rows * values.columns)
    }
}
