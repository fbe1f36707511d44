internal import CKernels
public import LinearAlgebra

/// `output = LayerNorm(residual + dropout(product + bias))` with frozen gain and offset, in one pass over the rows.
public final class ResidualNormalization {
    private let gain: UnsafePointer<Float>
    private let offset: UnsafePointer<Float>
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
    ///   - offset: [columns].
    ///   - epsilon: added to the (biased) variance.
    public init(
        gain: UnsafePointer<Float>, offset: UnsafePointer<Float>, columns: Int, epsilon: Float, dropout: Dropout
    ) {
        self.gain = gain
        self.offset = offset
        self.columns = columns
        self.epsilon = epsilon
        self.dropout = dropout
    }

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
            product.base, bias, activeMask, dropout.keepScale, residual?.base, gain, offset, epsilon, output.base,
            mean.pointer, inverseDeviation.pointer, batch.rowCount, columns)
    }

    /// - Parameters:
    ///   - outputGradient: [T, columns].
    ///   - sum: what `forward` left in `product`.
    ///   - residualGradient: [T, columns]; replaced.
    ///   - productGradient: [T, columns], or nil; replaced.
    public func backward(
        _ outputGradient: MatrixView, sum: MatrixView, residualGradient: MutableMatrixView,
        productGradient: MutableMatrixView?, batch: PackedBatch
    ) {
        kernel_residual_layer_norm_backward(
            outputGradient.base, sum.base, mean.pointer, inverseDeviation.pointer, gain, activeMask, dropout.keepScale,
            residualGradient.base, productGradient?.base, batch.rowCount, columns)
    }
}
