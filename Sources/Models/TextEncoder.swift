public import LinearAlgebra
public import NeuralNetwork

/// A pretrained network that turns packed sequences of tokens into one vector for each sample.
///
/// What it computes is its family's description; what is trained on top of it, and how, does not depend on the family.
public final class TextEncoder {
    /// What a family says of one of its models.
    public struct Description {
        /// Width of a hidden state.
        public var hiddenWidth: Int
        /// Tokens that the word embedding knows.
        public var vocabularySize: Int
        /// Longest sequence, special tokens included.
        public var longestSequence: Int
        /// Kinds of segments: 1, or 2 where pairs are possible.
        public var segmentCount: Int
        /// Probability with which the pooled vector is dropped before the head, as the model's configuration says.
        public var headDropout: Double
        /// Every linear layer that an adapter can be attached to, from the input to the output.
        public var linears: [AdaptedLinear]
        /// Layers that the model's files have no weights for, so that they are trained in full, or come with an adapter.
        public var missingLayers: [AdaptedLinear]

        var network: NetworkDescription
        /// The hidden states of the last layer, a row for each token.
        var hiddenStates: NetworkValue
        /// What the head reads, a row for each sample.
        var pooled: NetworkValue
    }

    public let description: Description
    /// What the tensors lie in.
    private let owner: AnyObject
    private let pooling: Network
    private let states: Network

    /// - Parameter owner: of the memory that the description's tensors lie in.
    init(_ description: Description, owner: AnyObject) {
        self.description = description
        self.owner = owner
        let pool = BufferPool()
        pooling = Network(description.network, output: description.pooled, pool: pool)
        states = Network(description.network, output: description.hiddenStates, pool: pool)
    }

    public var hiddenWidth: Int { description.hiddenWidth }
    public var vocabularySize: Int { description.vocabularySize }
    public var longestSequence: Int { description.longestSequence }
    public var segmentCount: Int { description.segmentCount }
    public var headDropout: Double { description.headDropout }
    public var linears: [AdaptedLinear] { description.linears }
    public var missingLayers: [AdaptedLinear] { description.missingLayers }

    /// The hidden states of the last layer, [T, hidden].
    public func hiddenStates(_ batch: PackedBatch, pass: Pass) -> MatrixView {
        states.forward([batch, batch.samples()], pass: pass)
    }

    /// The pooled vectors, [rows of `samples`, hidden].
    ///
    /// - Parameter samples: the batch's samples, as ``PackedBatch/samples()`` lays them out.
    public func forward(_ batch: PackedBatch, samples: PackedBatch, pass: Pass) -> MatrixView {
        pooling.forward([batch, samples], pass: pass)
    }

    /// Sets the gradients of all that is trained, from the gradient of the pooled vectors. Goes with the latest forward pass
    /// of training.
    public func backward(_ pooledGradient: MatrixView, pass: Pass, gradients: LaneGradients) {
        pooling.backward(pooledGradient, pass: pass, gradients: gradients)
    }
}
