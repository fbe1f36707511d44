internal import CKernels
public import LinearAlgebra

/// `(x − μ)/√(σ² + ε)·gain + offset` with μ and σ² over all places and channels of a sample: PyTorch's `GroupNorm` with one
/// group. On maps of one place it is a layer norm.
///
/// The variance is the biased one, taken around the mean; a constant sample gives the offset exactly.
public final class GroupNormalization {
    private let gain: NetworkTensor
    private let offset: NetworkTensor
    private let columns: Int
    private let epsilon: Float
    private let mean = Matrix()  // [samples]
    private let inverseDeviation = Matrix()  // [samples]
    private let parameterGradients = Matrix()  // [2 gradients and 2 of workspace, columns]

    /// - Parameters:
    ///   - gain: [columns].
    ///   - offset: [columns].
    public init(gain: NetworkTensor, offset: NetworkTensor, columns: Int, epsilon: Float = 1e-5) {
        self.gain = gain
        self.offset = offset
        self.columns = columns
        self.epsilon = epsilon
    }

    /// - Parameters:
    ///   - input: [rows of `maps`, columns], contiguous.
    ///   - output: [rows of `maps`, columns], contiguous.
    public func forward(_ input: MatrixView, maps: FeatureMaps, into output: MutableMatrixView) {
        mean.resize(rows: maps.samples, columns: 1)
        inverseDeviation.resize(rows: maps.samples, columns: 1)
        kernel_group_norm(
            input.base, gain.values, offset.values, epsilon, output.base, mean.pointer, inverseDeviation.pointer,
            maps.samples, maps.places, columns)
    }

    /// - Parameters:
    ///   - outputGradient: [rows of `maps`, columns], contiguous; one lane.
    ///   - input: what `forward` was given.
    ///   - inputGradient: [rows of `maps`, columns], contiguous; added to.
    public func backward(
        _ outputGradient: MatrixView, input: MatrixView, maps: FeatureMaps, inputGradient: MutableMatrixView,
        gradients: LaneGradients
    ) {
        parameterGradients.resize(rows: 4, columns: columns)
        let rows = parameterGradients.mutableView
        kernel_group_norm_backward(
            outputGradient.base, input.base, mean.pointer, inverseDeviation.pointer, gain.values, inputGradient.base,
            rows.rowStart(0), rows.rowStart(1), rows.rowStart(2), maps.samples, maps.places, columns)
        gain.setGradient(in: gradients) { $0.update(from: rows.rowStart(0), count: columns) }
        offset.setGradient(in: gradients) { $0.update(from: rows.rowStart(1), count: columns) }
    }
}
