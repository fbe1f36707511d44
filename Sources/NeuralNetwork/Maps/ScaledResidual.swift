internal import CKernels
public import LinearAlgebra

/// `output = residual + scale ∘ (product + bias)`: a residual branch whose channels are scaled (Touvron et al. 2021, layer
/// scale).
public final class ScaledResidual {
    private let scale: NetworkTensor
    private let columns: Int
    private let scaleGradient = Matrix()  // [columns]

    /// - Parameter scale: [columns].
    public init(scale: NetworkTensor, columns: Int) {
        self.scale = scale
        self.columns = columns
    }

    /// - Parameters:
    ///   - product: [T, columns], contiguous; afterwards with the bias, as `backward` needs it.
    ///   - bias: [columns], of a layer that has one.
    ///   - residual: [T, columns], contiguous.
    ///   - output: [T, columns], contiguous.
    public func forward(
        _ product: MutableMatrixView, bias: UnsafePointer<Float>?, residual: MatrixView, into output: MutableMatrixView
    ) {
        kernel_scaled_residual(
            residual.base, product.base, bias, scale.values, output.base, product.rows, columns)
    }

    /// - Parameters:
    ///   - outputGradient: [T, columns], contiguous, which is also the gradient of the residual; one lane.
    ///   - product: what `forward` left.
    ///   - productGradient: [T, columns], contiguous; replaced.
    public func backward(
        _ outputGradient: MatrixView, product: MatrixView, productGradient: MutableMatrixView,
        gradients: LaneGradients
    ) {
        scaleGradient.resize(rows: 1, columns: columns)
        kernel_scaled_residual_backward(
            outputGradient.base, product.base, scale.values, productGradient.base, scaleGradient.pointer,
            product.rows, columns)
        scale.setGradient(in: gradients) { $0.update(from: scaleGradient.pointer, count: columns) }
    }
}
