import LinearAlgebra
import NeuralNetwork

/// `x + s₁·mixer(norm(x))`, then `x + s₂·MLP(norm(x))`.
final class HCFormerBlock {
    private let mixer: ClusterMixer
    private let expand: AdaptedLinear  // mlp.fc1
    private let contract: AdaptedLinear  // mlp.fc2
    private let mixerNormalization: GroupNormalization
    private let expansionNormalization: GroupNormalization
    private let mixerResidual: ScaledResidual
    private let expansionResidual: ScaledResidual

    // What the forward pass leaves for the backward pass; F is the width of the MLP.
    private let normalized = Matrix(), mixed = Matrix(), middle = Matrix()  // [T, C]
    private let normalizedMiddle = Matrix(), contracted = Matrix(), result = Matrix()  // [T, C]
    private let preactivation = Matrix(), activated = Matrix()  // [T, F]; the first becomes GELU's derivative

    /// What is needed only while one block works; one set serves all.
    final class Scratch {
        let mixer = ClusterMixer.Scratch()
        let branch = Matrix(), normalized = Matrix()  // [T, C]
        let activated = Matrix()  // [T, F]
    }

    init(
        name: String, stage: HCFormerConfiguration.Stage, configuration: HCFormerConfiguration, side: Int,
        tensors: TensorSource
    ) throws {
        let (width, filter) = (stage.width, stage.width * stage.expansion)
        mixer = try ClusterMixer(
            name: name + ".token_mixer", stage: stage, configuration: configuration, side: side, tensors: tensors)
        expand = try tensors.linear(name + ".mlp.fc1", outputs: filter, inputs: width)
        contract = try tensors.linear(name + ".mlp.fc2", outputs: width, inputs: filter)
        mixerNormalization = try tensors.normalization(name + ".norm1", columns: width)
        expansionNormalization = try tensors.normalization(name + ".norm2", columns: width)
        mixerResidual = ScaledResidual(scale: try tensors.tensor(name + ".layer_scale_1"), columns: width)
        expansionResidual = ScaledResidual(scale: try tensors.tensor(name + ".layer_scale_2"), columns: width)
    }

    var linears: [AdaptedLinear] { [mixer.similarity, mixer.value, mixer.projection, expand, contract] }
    var isTrained: Bool { linears.contains(where: \.isTrained) }
    /// What `forward` gave: [T, C].
    var output: MatrixView { result.view }

    /// - Parameter input: [T, C].
    func forward(_ input: MatrixView, maps: FeatureMaps, batch: PackedBatch, pass: Pass, scratch: Scratch) {
        for matrix in [normalized, mixed, middle, normalizedMiddle, contracted, result] {
            matrix.resize(rows: input.rows, columns: input.columns)
        }
        for matrix in [preactivation, activated] { matrix.resize(rows: input.rows, columns: expand.outputs) }
        mixerNormalization.forward(input, maps: maps, into: normalized.mutableView)
        mixer.forward(
            normalized.view, maps: maps, batch: batch, into: mixed.mutableView, pass: pass, scratch: scratch.mixer)
        mixerResidual.forward(
            mixed.mutableView, bias: mixer.projection.bias, residual: input, into: middle.mutableView)

        expansionNormalization.forward(middle.view, maps: maps, into: normalizedMiddle.mutableView)
        expand.forward(normalizedMiddle.view, into: preactivation.mutableView, batch: batch, pass: pass)
        Activation.gelu.forward(preactivation.mutableView, bias: expand.bias, into: activated.mutableView, pass: pass)
        contract.forward(activated.view, into: contracted.mutableView, batch: batch, pass: pass)
        expansionResidual.forward(
            contracted.mutableView, bias: contract.bias, residual: middle.view, into: result.mutableView)
    }

    /// - Parameters:
    ///   - gradient: of the output, [T, C]; replaced by that of the input.
    ///   - input: what `forward` was given.
    func backward(
        _ gradient: MutableMatrixView, input: MatrixView, maps: FeatureMaps, batch: PackedBatch, pass: Pass,
        gradients: LaneGradients, scratch: Scratch
    ) {
        for matrix in [scratch.branch, scratch.normalized] { matrix.resize(rows: input.rows, columns: input.columns) }
        scratch.activated.resize(rows: input.rows, columns: expand.outputs)
        expansionResidual.backward(
            gradient.view, product: contracted.view, productGradient: scratch.branch.mutableView, gradients: gradients)
        contract.backward(
            scratch.branch.view, input: activated.view, inputGradient: scratch.activated.mutableView, batch: batch,
            pass: pass, gradients: gradients)
        Activation.gelu.backward(derivative: preactivation.view, gradient: scratch.activated.mutableView)
        expand.backward(
            scratch.activated.view, input: normalizedMiddle.view, inputGradient: scratch.normalized.mutableView,
            batch: batch, pass: pass, gradients: gradients)
        expansionNormalization.backward(
            scratch.normalized.view, input: middle.view, maps: maps, inputGradient: gradient, gradients: gradients)

        mixerResidual.backward(
            gradient.view, product: mixed.view, productGradient: scratch.branch.mutableView, gradients: gradients)
        mixer.backward(
            scratch.branch.view, input: normalized.view, inputGradient: scratch.normalized.mutableView, batch: batch,
            pass: pass, gradients: gradients, scratch: scratch.mixer)
        mixerNormalization.backward(
            scratch.normalized.view, input: input, maps: maps, inputGradient: gradient, gradients: gradients)
    }
}
