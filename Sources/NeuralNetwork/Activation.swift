internal import CKernels
public import LinearAlgebra

/// The exact (erf) GELU of a biased product, x·Φ(x).
public enum GELU {
    /// - Parameters:
    ///   - values: the product, [T, columns], contiguous; in training, replaced by the derivative at `values + bias`, which
    ///     shares the costly part with the function.
    ///   - output: [T, columns], contiguous.
    public static func forward(
        _ values: MutableMatrixView, bias: UnsafePointer<Float>?, into output: MutableMatrixView, pass: Pass
    ) {
        let kernel = pass.isTraining ? kernel_bias_gelu_derivative : { kernel_bias_gelu($0, $1, $2, $3, $4) }
        kernel(values.base, bias, output.base, values.rows, values.columns)
    }

    /// `gradient *= derivative`, as `forward` left it in training.
    public static func backward(derivative: MatrixView, gradient: MutableMatrixView) {
        kernel_multiply(gradient.base, derivative.base, derivative.rows * derivative.columns)
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

/// The rectifier of a biased product, max(x, 0).
public enum Rectifier {
    /// `values = max(values + bias, 0)`, [rows, columns], contiguous.
    public static func forward(_ values: MutableMatrixView, bias: UnsafePointer<Float>?) {
        kernel_bias_relu(values.base, bias, values.rows, values.columns)
    }

    /// The gradient, where the output is above 0; else 0.
    public static func backward(output: MatrixView, gradient: MutableMatrixView) {
        kernel_relu_backward(output.base, gradient.base, output.rows * output.columns)
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
