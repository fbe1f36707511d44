internal import CKernels
public import LinearAlgebra

/// `output = LayerNorm(residual + dropout(product + bias))` in one pass over the rows.
public final class ResidualNormalization {
    private let gain: NetworkTensor
    private let offset: NetworkTensor?
    private let columns: Int
    private let epsilon: Float
    /// Dropout of the product.
    private let dropout: Dropout

    private let mean = Matrix()  // [T]
    private let inverseDeviation = Matrix()  // [T]
    private let mask = MaskBuffer()
    private var activeMask: UnsafeMutablePointer<UInt8>?

    /// - Parameters:
    ///   - gain: [columns].
    ///   - offset: [columns], or nil.
    ///   - epsilon: added to the (biased) variance.
    public init(
        gain: NetworkTensor, offset: NetworkTensor?, columns: Int, epsilon: Float, dropout: Dropout
    ) {
        self.gain = gain
        self.offset = offset
        self.columns = columns
        self.epsilon = epsilon
        self.dropout = dropout
    }

    /// Whether gain or offset is trained.
    var isTrained: Bool { gain.block != nil || offset?.block != nil }

    /// Whether training drops anything of the product.
    var drops: Bool { dropout.probability > 0 }

    /// - Parameters:
    ///   - product: [T, columns]; afterwards it holds the normalised sum's input, which `backward` needs.
    ///   - bias: [columns], or nil.
    ///   - residual: [T, columns], or nil.
    ///   - output: [T, columns].
    public func forward(
        _ product: MutableMatrixView, bias: UnsafePointer<Float>?, residual: MatrixView?,
        into output: MutableMatrixView, batch: PackedBatch, pass: Pass
    ) {
        activeMask =
            dropout.isActive(in: pass) ? mask.filled(by: dropout, columns: columns, batch: batch, pass: pass) : nil
        mean.resize(rows: batch.rowCount, columns: 1)
        inverseDeviation.resize(rows: batch.rowCount, columns: 1)
        kernel_residual_layer_norm(
            product.base, bias, activeMask, dropout.keepScale, residual?.base, gain.values, offset?.values,
            epsilon, output.base,
            mean.pointer, inverseDeviation.pointer, batch.rowCount, columns)
    }

    /// Sets the gradients of gain and offset, where they are trained, and those of what was summed.
    ///
    /// - Parameters:
    ///   - outputGradient: [T, columns].
    ///   - sum: what `forward` left in `product`.
    ///   - residualGradient: [T, columns].
    ///   - keep: 1 adds to the residual's gradient, 0 replaces it.
    ///   - productGradient: [T, columns], or nil, which it must be where the other is added to; replaced.
    public func backward(
        _ outputGradient: MatrixView, sum: MatrixView, residualGradient: MutableMatrixView,
        keep: Float = 0, productGradient: MutableMatrixView?, batch: PackedBatch, gradients: LaneGradients
    ) {
        precondition(keep == 0 || productGradient == nil)
        gain.setGradients(in: gradients) { lane, gradient in
            let rows = batch.lanes[lane].rows
            kernel_layer_norm_gain_backward(
                outputGradient[rows: rows].base, sum[rows: rows].base,
                mean.pointer + rows.lowerBound, inverseDeviation.pointer + rows.lowerBound, gradient, rows.count,
                columns)
        }
        offset?.setGradients(in: gradients) { lane, gradient in
            let rows = batch.lanes[lane].rows
            kernel_column_sums(outputGradient[rows: rows].base, columns, gradient, rows.count, columns)
        }
        kernel_residual_layer_norm_backward(
            outputGradient.base, sum.base, mean.pointer, inverseDeviation.pointer, gain.values, activeMask,
            dropout.keepScale, keep == 0 ? 0 : 1, residualGradient.base, productGradient?.base, batch.rowCount, columns)
    }
}
