import LinearAlgebra
import NeuralNetwork

// Shapes: T rows of the maps, T' rows of the padded maps, C width of the stage, E heads · head width.

/// What an HCFormer has in the place of attention: soft clustering within windows, and of the windows in hyperbolic space.
final class ClusterMixer {
    let similarity: AdaptedLinear  // f, [E, C]
    let value: AdaptedLinear  // v, [E, C]
    let projection: AdaptedLinear  // of [patches, windows], [C, E or 2E]
    private let patches: PatchClustering
    private let windows: WindowClustering?
    private let windowCount: Int
    private let width: Int  // E

    // What the forward pass leaves for the backward pass.
    private let features = Matrix(), values = Matrix()  // [T, E]
    private let paddedFeatures = Matrix(), paddedValues = Matrix()  // [T', E], where the maps need it
    private let mixed = Matrix()  // [T, E or 2E]
    private var padding = ReflectionPadding(FeatureMaps(samples: 0, height: 1, width: 1), toMultipleOf: 1)

    /// What is needed only while one mixer works; one set serves all.
    final class Scratch {
        let paddedMixed = Matrix()  // [T', E or 2E]
        let mixedGradient = Matrix()  // [T, E or 2E]
        let paddedFeaturesGradient = Matrix(), paddedValuesGradient = Matrix()  // [T', E]
        let featuresGradient = Matrix(), valuesGradient = Matrix()  // [T, E]
    }

    /// - Parameter tensors: the tensor of a name.
    init(
        name: String, stage: HCFormerConfiguration.Stage, configuration: HCFormerConfiguration, side: Int,
        tensors: TensorSource
    ) throws {
        width = stage.heads * configuration.headWidth
        windowCount = stage.windows
        similarity = try tensors.linear("\(name).f", outputs: width, inputs: stage.width)
        value = try tensors.linear("\(name).v", outputs: width, inputs: stage.width)
        projection = try tensors.linear(
            "\(name).proj", outputs: stage.width, inputs: stage.windowCentres > 0 ? 2 * width : width)
        patches = PatchClustering(
            shape: PatchClustering.Shape(
                heads: stage.heads, headWidth: configuration.headWidth, windows: stage.windows,
                centres: stage.patchCentres, biasSide: side),
            bias: try tensors.tensor("\(name).relative_position_bias"), alpha: try tensors.tensor("\(name).sim_alpha"))
        windows =
            stage.windowCentres == 0
            ? nil
            : WindowClustering(
                shape: WindowClustering.Shape(
                    heads: stage.heads, headWidth: configuration.headWidth, windows: stage.windows,
                    centres: stage.windowCentres),
                space: LorentzModel(curvature: configuration.curvature),
                bias: try tensors.tensor("\(name).relative_position_bias2"),
                alpha: try tensors.tensor("\(name).sim_alpha2"))
    }

    /// - Parameters:
    ///   - input: [T, C].
    ///   - output: [T, C], without the projection's bias.
    func forward(
        _ input: MatrixView, maps: FeatureMaps, batch: PackedBatch, into output: MutableMatrixView, pass: Pass,
        scratch: Scratch
    ) {
        if padding.maps != maps { padding = ReflectionPadding(maps, toMultipleOf: windowCount) }
        for (linear, result) in [(similarity, features), (value, values)] {
            result.resize(rows: batch.rowCount, columns: width)
            linear.forward(input, into: result.mutableView, batch: batch, pass: pass)
            addBias(linear.bias, to: result.mutableView)
        }
        mixed.resize(rows: batch.rowCount, columns: projection.inputs)
        let padded = padding.padded
        var target = mixed.mutableView
        if padding.isNeeded {
            for (source, result) in [(features, paddedFeatures), (values, paddedValues)] {
                result.resize(rows: padded.rowCount, columns: width)
                padding.pad(source.view, into: result.mutableView)
            }
            scratch.paddedMixed.resize(rows: padded.rowCount, columns: projection.inputs)
            target = scratch.paddedMixed.mutableView
        }
        let (features, values) = clustered
        patches.forward(features: features, values: values, maps: padded, into: target[columns: 0..<width])
        windows?.forward(
            features: features, values: values, maps: padded, into: target[columns: width..<2 * width])
        if padding.isNeeded { padding.crop(target.view, into: mixed.mutableView) }
        projection.forward(mixed.view, into: output, batch: batch, pass: pass)
    }

    /// Features and values as they are clustered: [T', E].
    private var clustered: (features: MatrixView, values: MatrixView) {
        padding.isNeeded ? (paddedFeatures.view, paddedValues.view) : (features.view, values.view)
    }

    /// - Parameters:
    ///   - outputGradient: [T, C].
    ///   - input: what `forward` was given.
    ///   - inputGradient: [T, C]; replaced.
    func backward(
        _ outputGradient: MatrixView, input: MatrixView, inputGradient: MutableMatrixView, batch: PackedBatch,
        pass: Pass, gradients: LaneGradients, scratch: Scratch
    ) {
        let padded = padding.padded
        scratch.mixedGradient.resize(rows: batch.rowCount, columns: projection.inputs)
        projection.backward(
            outputGradient, input: mixed.view, inputGradient: scratch.mixedGradient.mutableView, batch: batch,
            pass: pass, gradients: gradients)
        var gradient = scratch.mixedGradient.view
        for matrix in [scratch.featuresGradient, scratch.valuesGradient] {
            matrix.resize(rows: batch.rowCount, columns: width)
        }
        var (featuresGradient, valuesGradient) = (scratch.featuresGradient, scratch.valuesGradient)
        if padding.isNeeded {
            scratch.paddedMixed.resize(rows: padded.rowCount, columns: projection.inputs)
            padding.cropBackward(gradient, inputGradient: scratch.paddedMixed.mutableView)
            gradient = scratch.paddedMixed.view
            (featuresGradient, valuesGradient) = (scratch.paddedFeaturesGradient, scratch.paddedValuesGradient)
            for matrix in [featuresGradient, valuesGradient] { matrix.resize(rows: padded.rowCount, columns: width) }
        }
        let (features, values) = clustered
        patches.backward(
            gradient[columns: 0..<width], features: features, values: values, maps: padded,
            featuresGradient: featuresGradient.mutableView, valuesGradient: valuesGradient.mutableView,
            gradients: gradients)
        windows?.backward(
            gradient[columns: width..<2 * width], maps: padded, featuresGradient: featuresGradient.mutableView,
            valuesGradient: valuesGradient.mutableView, gradients: gradients)
        if padding.isNeeded {
            padding.padBackward(featuresGradient.view, inputGradient: scratch.featuresGradient.mutableView)
            padding.padBackward(valuesGradient.view, inputGradient: scratch.valuesGradient.mutableView)
        }
        similarity.backward(
            scratch.featuresGradient.view, input: input, inputGradient: inputGradient, batch: batch, pass: pass,
            gradients: gradients)
        value.backward(
            scratch.valuesGradient.view, input: input, inputGradient: inputGradient, keep: 1, batch: batch, pass: pass,
            gradients: gradients)
    }
}
