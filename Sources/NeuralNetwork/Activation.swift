internal import CKernels
public import LinearAlgebra

/// A function of each number of a biased product.
public enum Activation: Sendable, CaseIterable {
    /// x·Φ(x), with the error function.
    case gelu
    /// The same with Φ(x) ≈ (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, which others call gelu_new or gelu_pytorch_tanh.
    case geluTanh
    /// x/(1 + e^-x).
    case silu
    /// max(x, 0).
    case relu

    /// - Parameters:
    ///   - values: the product, [T, columns], contiguous; in training, replaced by the derivative at `values + bias`, which
    ///     shares the costly part with the function.
    ///   - bias: [columns], or nil.
    ///   - output: [T, columns], contiguous.
    public func forward(
        _ values: MutableMatrixView, bias: UnsafePointer<Float>?, into output: MutableMatrixView, pass: Pass
    ) {
        let kernel =
            pass.isTraining ? kernel_bias_activation_derivative : { kernel_bias_activation($0, $1, $2, $3, $4, $5) }
        kernel(code, values.base, bias, output.base, values.rows, values.columns)
    }

    /// `gradient *= derivative`, as `forward` left it in training.
    public func backward(derivative: MatrixView, gradient: MutableMatrixView) {
        kernel_multiply(gradient.base, derivative.base, derivative.rows * derivative.columns)
    }

    /// `output = f(u)·v`, where u is the first half of the columns of `values + bias` and v the second.
    ///
    /// - Parameters:
    ///   - values: [T, 2 · columns], contiguous; in training, replaced by the derivatives by u and by v.
    ///   - bias: [2 · columns], or nil.
    ///   - output: [T, columns], contiguous.
    public func forwardGate(
        _ values: MutableMatrixView, bias: UnsafePointer<Float>?, into output: MutableMatrixView, pass: Pass
    ) {
        let kernel = pass.isTraining ? kernel_gate_derivative : { kernel_gate($0, $1, $2, $3, $4, $5) }
        kernel(code, values.base, bias, output.base, output.rows, output.columns)
    }

    /// The gradient of u and v.
    ///
    /// - Parameters:
    ///   - derivatives: as `forwardGate` left them in training, [T, 2 · columns].
    ///   - gradient: of the output, [T, columns].
    ///   - inputGradient: [T, 2 · columns], contiguous; replaced.
    public static func backwardGate(
        derivatives: MatrixView, gradient: MatrixView, inputGradient: MutableMatrixView
    ) {
        kernel_gate_backward(
            derivatives.base, gradient.base, inputGradient.base, gradient.rows, gradient.columns)
    }

    private var code: Int32 {
        switch self {
        case .gelu: Int32(kernel_gelu)
        case .geluTanh: Int32(kernel_gelu_tanh)
        case .silu: Int32(kernel_silu)
        case .relu: Int32(kernel_relu)
        }
    }
}

/// The hyperbolic tangent of a biased product.
public enum HyperbolicTangent {
    /// `values = tanh(values + bias)`, [rows, columns], contiguous.
    public static func forward(_ values: MutableMatrixView, bias: UnsafePointer<Float>?) {
        kernel_bias_tanh(values.base, bias, values.rows, values.columns)
    }

    /// `gradient *= 1 − output²`.
    public static func backward(output: MatrixView, gradient: MutableMatrixView) {
        kernel_tanh_backward(output.base, gradient.base, output.rows * output.columns)
    }
}

/// `values += bias` on every row, where there is one.
public func addBias(_ bias: UnsafePointer<Float>?, to values: MutableMatrixView) {
    guard let bias else { return }
    kernel_add_bias(values.base, values.stride, bias, values.rows, values.columns)
}

/// `values += other`, elementwise; both contiguous.
public func add(_ other: MatrixView, to values: MutableMatrixView) {
    precondition(other.rows == values.rows && other.columns == values.columns)
    kernel_add(values.base, other.base, values.rows * values.columns)
}
