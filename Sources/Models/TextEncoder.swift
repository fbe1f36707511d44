public import LinearAlgebra
public import NeuralNetwork

/// A pretrained network that turns packed sequences of tokens into one vector for each sample.
///
/// One implementation for each family of models; what is trained on top of it, and how, does not depend on the family.
public protocol TextEncoder: AnyObject {
    /// Width of a hidden state.
    var hiddenWidth: Int { get }
    /// Tokens that the word embedding knows.
    var vocabularySize: Int { get }
    /// Longest sequence, special tokens included.
    var longestSequence: Int { get }
    /// Kinds of segments: 1, or 2 where pairs are possible.
    var segmentCount: Int { get }
    /// Probability with which the pooled vector is dropped before the head, as the model's configuration says.
    var headDropout: Double { get }
    /// What a user should be told of the folder that it was read from, a line each.
    var remarks: [String] { get }
    /// Every linear layer that an adapter can be attached to, from the input to the output.
    var linears: [AdaptedLinear] { get }

    /// The hidden states of the last layer, [T, hidden].
    func hiddenStates(_ batch: PackedBatch, pass: Pass) -> MatrixView

    /// The pooled vectors, [rows of `samples`, hidden].
    ///
    /// - Parameter samples: the batch's samples, as ``PackedBatch/samples()`` lays them out.
    func forward(_ batch: PackedBatch, samples: PackedBatch, pass: Pass) -> MatrixView

    /// Sets the gradients of all attached adapters, from the gradient of the pooled vectors. Stops where nothing below
    /// needs a gradient. Goes with a forward pass of training, which keeps what the gradients need.
    func backward(
        _ pooledGradient: MatrixView, batch: PackedBatch, samples: PackedBatch, pass: Pass, gradients: LaneGradients)
}
