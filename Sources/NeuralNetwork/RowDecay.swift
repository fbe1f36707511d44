internal import CKernels

/// Weight decay of the superposition model (Liu, Liu and Gore, arXiv 2505.10465, section 3), before the optimiser's step:
/// with γ ≥ 0 every row W_i loses η·γ·W_i, as in AdamW; with γ < 0 it loses η·γ·W_i·(1/‖W_i‖ − 1), which lets short rows grow
/// and long ones shrink towards unit length. ‖W_i‖ counts as 1e-8 at least.
public struct RowDecay: Sendable, Equatable {
    /// γ.
    public let rate: Double

    public init(rate: Double) { self.rate = rate }

    /// - Parameters:
    ///   - rows: [count, columns], changed in place.
    ///   - learningRate: η of this step.
    public func apply(to rows: UnsafeMutablePointer<Float>, count: Int, columns: Int, learningRate: Double) {
        guard rate != 0 else { return }
        kernel_decay_rows(rows, count, columns, Float(rate * learningRate))
    }
}
