internal import CKernels
public import LinearAlgebra

/// Soft clustering of the windows of a map in hyperbolic space (Wei et al., HCFormer), head by head.
///
/// Points are the windows' means, centres the adaptive average pool of the whole map; both are clipped to norm 1 and mapped by
/// the exponential at the origin. A is the softmax over the centres of `B₂ − α₂·d`, d the distance in the ``LorentzModel``; the
/// centres are updated as in ``PatchClustering``, and every place of a window takes what its window gets.
public final class WindowClustering {
    public struct Shape: Sendable, Equatable {
        public let heads: Int
        public let headWidth: Int
        /// Windows along a side of the map.
        public let windows: Int
        /// Centres along a side of the map.
        public let centres: Int

        public init(heads: Int, headWidth: Int, windows: Int, centres: Int) {
            precondition(heads > 0 && headWidth > 0 && windows > 0 && centres > 0)
            (self.heads, self.headWidth, self.windows, self.centres) = (heads, headWidth, windows, centres)
        }
    }

    public let shape: Shape
    public let space: LorentzModel
    private let bias: NetworkTensor
    private let alpha: NetworkTensor
    // Pooled maps, [samples · windows², width] and [samples · centres², width], and their gradients.
    private let points = Matrix(), pointValues = Matrix(), result = Matrix()
    private let centres = Matrix(), centreValues = Matrix()
    private let pointsGradient = Matrix(), pointValuesGradient = Matrix(), resultGradient = Matrix()
    private let centresGradient = Matrix(), centreValuesGradient = Matrix()
    private let biasGradient = Matrix()  // [heads · centres², windows²]
    private var assignments: [Double] = []  // [samples, heads, windows², centres²]
    private var workspace: [Double] = []

    /// - Parameters:
    ///   - bias: B₂, [heads, centres², windows, windows].
    ///   - alpha: α₂, one number.
    public init(shape: Shape, space: LorentzModel, bias: NetworkTensor, alpha: NetworkTensor) {
        self.shape = shape
        self.space = space
        self.bias = bias
        self.alpha = alpha
    }

    private var width: Int { shape.heads * shape.headWidth }
    private var pointCount: Int { shape.windows * shape.windows }
    private var centreCount: Int { shape.centres * shape.centres }

    private func windows(_ maps: FeatureMaps) -> FeatureMaps {
        FeatureMaps(samples: maps.samples, height: shape.windows, width: shape.windows)
    }

    private func centreMaps(_ maps: FeatureMaps) -> FeatureMaps {
        FeatureMaps(samples: maps.samples, height: shape.centres, width: shape.centres)
    }

    /// - Parameters:
    ///   - features, values: [rows of `maps`, heads · width].
    ///   - maps: whose sides are multiples of the number of windows.
    ///   - output: [rows of `maps`, heads · width].
    public func forward(features: MatrixView, values: MatrixView, maps: FeatureMaps, into output: MutableMatrixView) {
        precondition(maps.height % shape.windows == 0 && maps.width % shape.windows == 0)
        let (windows, centreMaps) = (windows(maps), centreMaps(maps))
        for matrix in [points, pointValues, result] { matrix.resize(rows: windows.rowCount, columns: width) }
        for matrix in [centres, centreValues] { matrix.resize(rows: centreMaps.rowCount, columns: width) }
        for (input, pooled, centred) in [(features, points, centres), (values, pointValues, centreValues)] {
            AdaptiveAveragePooling.forward(input, maps: maps, pooled: windows, into: pooled.mutableView)
            AdaptiveAveragePooling.forward(input, maps: maps, pooled: centreMaps, into: centred.mutableView)
        }
        let count = maps.samples * shape.heads * pointCount * centreCount
        if assignments.count < count { assignments = [Double](repeating: 0, count: count) }
        forEachHead(of: maps) { clusters, place in
            kernel_hyperbolic_cluster(
                clusters, bias.values + place.bias, points.pointer + place.points,
                pointValues.pointer + place.points, centres.pointer + place.centres,
                centreValues.pointer + place.centres, result.pointer + place.points, place.assignments,
                place.workspace)
        }
        NearestUpsampling.forward(result.view, maps: windows, larger: maps, into: output)
    }

    /// Adds to the gradients of features and values, from what `forward` was given.
    ///
    /// - Parameter gradients: of one lane, the one that the samples are.
    public func backward(
        _ outputGradient: MatrixView, maps: FeatureMaps, featuresGradient: MutableMatrixView,
        valuesGradient: MutableMatrixView, gradients: LaneGradients
    ) {
        let (windows, centreMaps) = (windows(maps), centreMaps(maps))
        for matrix in [pointsGradient, pointValuesGradient, resultGradient] {
            matrix.resize(rows: windows.rowCount, columns: width)
        }
        for matrix in [centresGradient, centreValuesGradient] {
            matrix.resize(rows: centreMaps.rowCount, columns: width)
        }
        biasGradient.resize(rows: shape.heads * centreCount, columns: pointCount)
        biasGradient.mutableView.clear()
        NearestUpsampling.backward(
            outputGradient, maps: windows, larger: maps, inputGradient: resultGradient.mutableView)
        var alphaGradient = 0.0
        forEachHead(of: maps) { clusters, place in
            alphaGradient += kernel_hyperbolic_cluster_backward(
                clusters, points.pointer + place.points, pointValues.pointer + place.points,
                centres.pointer + place.centres, centreValues.pointer + place.centres, place.assignments,
                resultGradient.pointer + place.points, pointsGradient.pointer + place.points,
                pointValuesGradient.pointer + place.points, centresGradient.pointer + place.centres,
                centreValuesGradient.pointer + place.centres, biasGradient.pointer + place.bias, place.workspace)
        }
        for (gradient, pooled, centred) in [
            (featuresGradient, pointsGradient, centresGradient),
            (valuesGradient, pointValuesGradient, centreValuesGradient),
        ] {
            AdaptiveAveragePooling.backward(pooled.view, maps: maps, pooled: windows, inputGradient: gradient)
            AdaptiveAveragePooling.backward(centred.view, maps: maps, pooled: centreMaps, inputGradient: gradient)
        }
        bias.setGradient(in: gradients) {
            $0.update(from: biasGradient.pointer, count: biasGradient.rows * biasGradient.columns)
        }
        alpha.setGradient(in: gradients) { $0.pointee = Float(alphaGradient) }
    }

    /// Where the numbers of one head of one sample start.
    private struct Place {
        let points, centres, bias: Int
        let assignments: UnsafeMutablePointer<Double>
        let workspace: UnsafeMutablePointer<Double>
    }

    private func forEachHead(of maps: FeatureMaps, _ body: (UnsafePointer<kernel_hyperbolic_clusters>, Place) -> Void) {
        let clusters = kernel_hyperbolic_clusters(
            points: pointCount, centres: centreCount, width: shape.headWidth, stride: width,
            alpha: Double(alpha.values.pointee), curvature: space.curvature)
        withUnsafePointer(to: clusters) { clusters in
            let needed = kernel_hyperbolic_clusters_workspace(clusters)
            if workspace.count < needed { workspace = [Double](repeating: 0, count: needed) }
            assignments.withUnsafeMutableBufferPointer { assignments in
                workspace.withUnsafeMutableBufferPointer { workspace in
                    guard let first = assignments.baseAddress, let memory = workspace.baseAddress else { return }
                    for sample in 0..<maps.samples {
                        for head in 0..<shape.heads {
                            let column = head * shape.headWidth
                            body(
                                clusters,
                                Place(
                                    points: sample * pointCount * width + column,
                                    centres: sample * centreCount * width + column,
                                    bias: head * centreCount * pointCount,
                                    assignments: first + (sample * shape.heads + head) * pointCount * centreCount,
                                    workspace: memory))
                        }
                    }
                }
            }
        }
    }
}
