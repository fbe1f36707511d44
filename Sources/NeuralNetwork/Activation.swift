internal import CKernels
public import LinearAlgebra

/// The exact (erf) GELU of a biased product.
public enum GELU {
    /// `values += bias; output = values/2 · (1 + erf(values/√2))`, [T, columns] each, contiguous.
    public static func forward(
        _ values: MutableMatrixView, bias: UnsafePointer<Float>, into output: MutableMatrixView
    ) {
        kernel_bias_gelu(values.base, bias, output.base, values.rows, values.columns)
    }

    /// `gradient *= GELU'(values)`.
    public static func backward(_ values: MatrixView, gradient: MutableMatrixView) {
        kernel_gelu_backward(values.base, gradient.base, values.rows * values.columns)
    }
}

/// The hyperbolic tangent of a biased product.
public enum HyperbolicTangent {
    /// `values = tanh(values + bias)`, [rows, columns], contiguous.
    public static func forward(_ values: MutableMatrixView, bias: UnsafePointer<Float>) {
        kernel_bias_tanh(values.base, bias, values.rows, values.columns)
    }

    /// `gradient *= 1 − output²`.
    public static func backward(output: MatrixView, gradient: MutableMatrixView) {
        kernel_tanh_backward(output.base, gradient.base, output.rows * output.columns)
    }
}

/// `values += bias` on every row.
public func addBias(_ bias: UnsafePointer<Float>, to values: MutableMatrixView) {
    kernel_add_bias(values.base, values.stride, bias, values.rows, values.columns)
}

/// `values += other`, elementwise; both contiguous.
public func add(_ other: MatrixView, to values: MutableMatrixView) {
    precondition(other.rows == values.rows && other.columns == values.columns)
    kernel_add(values.base, other.base, values.rows * values.columns)
}
