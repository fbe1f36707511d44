internal import CKernels
public import LinearAlgebra

/// Soft clustering of the places of a map within windows (Wei et al., HCFormer; after Ma et al. 2023, *Image as set of
/// points*), head by head.
///
/// In a window: centres c and c^v are the adaptive average pools of features f and values v; A is the softmax over the centres
/// of `B + α·cos(f_i, c_j)`; `c'_j = (c^v_j + Σ_i A_ij·v_i)/(1 + Σ_i A_ij)`; the output is `g_i = Σ_j A_ij·c'_j`. The work is
/// places · centres of a window, not places².
public final class PatchClustering {
    public struct Shape: Sendable, Equatable {
        public let heads: Int
        public let headWidth: Int
        /// Windows along a side of the map.
        public let windows: Int
        /// Centres along a side of a window.
        public let centres: Int
        /// Side of the maps in which B is kept.
        public let biasSide: Int

        public init(heads: Int, headWidth: Int, windows: Int, centres: Int, biasSide: Int) {
            precondition(heads > 0 && headWidth > 0 && windows > 0 && centres > 0 && biasSide > 0)
            (self.heads, self.headWidth) = (heads, headWidth)
            (self.windows, self.centres, self.biasSide) = (windows, centres, biasSide)
        }

        public var width: Int { heads * headWidth }
    }

    public let shape: Shape
    private let bias: NetworkTensor
    private let alpha: NetworkTensor
    private let placedBias = Matrix()  // [heads · windows² · points, centres² padded]
    private let biasGradient = Matrix()  // as the placed bias
    private let assignments = Matrix()  // [samples · heads · windows² · points, centres² padded]
    private let workspace = Matrix()

    /// - Parameters:
    ///   - bias: B, [heads, centres², side, side], interpolated to the size of the map.
    ///   - alpha: α, one number.
    public init(shape: Shape, bias: NetworkTensor, alpha: NetworkTensor) {
        self.shape = shape
        self.bias = bias
        self.alpha = alpha
    }

    /// - Parameters:
    ///   - features, values: [rows of `maps`, heads · width], contiguous.
    ///   - maps: whose sides are multiples of the number of windows.
    ///   - output: [rows of `maps`, heads · width].
    public func forward(features: MatrixView, values: MatrixView, maps: FeatureMaps, into output: MutableMatrixView) {
        let clusters = clusters(maps)
        let (rows, columns) = assignmentShape(maps)
        placedBias.resize(rows: rows, columns: columns)
        assignments.resize(rows: maps.samples * rows, columns: columns)
        withUnsafePointer(to: clusters) {
            workspace.resize(rows: 1, columns: kernel_clusters_workspace($0))
            kernel_cluster_bias($0, bias.values, shape.biasSide, placedBias.pointer)
            for sample in 0..<maps.samples {
                let first = sample * maps.places
                kernel_cluster(
                    $0, placedBias.pointer, features.rowStart(first), values.rowStart(first), output.rowStart(first),
                    output.stride, assignments.pointer + sample * rows * columns, workspace.pointer)
            }
        }
    }

    /// Replaces the gradients of features and values, from what `forward` was given.
    ///
    /// - Parameter gradients: of one lane, the one that the samples are.
    public func backward(
        _ outputGradient: MatrixView, features: MatrixView, values: MatrixView, maps: FeatureMaps,
        featuresGradient: MutableMatrixView, valuesGradient: MutableMatrixView, gradients: LaneGradients
    ) {
        let clusters = clusters(maps)
        let (rows, columns) = assignmentShape(maps)
        biasGradient.resize(rows: rows, columns: columns)
        biasGradient.mutableView.clear()
        var alphaGradient = 0.0
        withUnsafePointer(to: clusters) {
            for sample in 0..<maps.samples {
                let first = sample * maps.places
                alphaGradient += kernel_cluster_backward(
                    $0, features.rowStart(first), values.rowStart(first),
                    assignments.pointer + sample * rows * columns, outputGradient.rowStart(first),
                    outputGradient.stride, featuresGradient.rowStart(first), valuesGradient.rowStart(first),
                    biasGradient.pointer, workspace.pointer)
            }
            bias.setGradient(in: gradients) { [biasGradient, side = shape.biasSide] gradient in
                withUnsafePointer(to: clusters) {
                    kernel_cluster_bias_backward($0, biasGradient.pointer, side, gradient)
                }
            }
        }
        alpha.setGradient(in: gradients) { $0.pointee = Float(alphaGradient) }
    }

    /// Rows and columns of the assignments of one sample.
    private func assignmentShape(_ maps: FeatureMaps) -> (rows: Int, columns: Int) {
        (shape.heads * maps.places, (shape.centres * shape.centres + 15) / 16 * 16)
    }

    private func clusters(_ maps: FeatureMaps) -> kernel_clusters {
        precondition(maps.height % shape.windows == 0 && maps.width % shape.windows == 0)
        return kernel_clusters(
            windows: shape.windows, point_rows: maps.height / shape.windows,
            point_columns: maps.width / shape.windows, centres: shape.centres, heads: shape.heads,
            width: shape.headWidth, alpha: alpha.values.pointee)
    }
}
