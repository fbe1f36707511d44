public import LinearAlgebra
import Models
public import NeuralNetwork

/// A network with triplets on some of its layers and a head, whatever its family: what the parameters of an adapter are
/// set in.
public protocol AdapterHost: AnyObject {
    /// Triplets first, then the head.
    var layout: ParameterLayout { get }
    /// Every linear layer that an adapter can be attached to.
    var linears: [AdaptedLinear] { get }
    /// All trained parameters, laid out by `layout`.
    var parameters: Matrix { get }
    /// Classes, or 1 for a regression.
    var outputCount: Int { get }
    /// Layers that are trained, and have no pretrained weights to start with.
    var missingLayers: [AdaptedLinear] { get }
}

extension AdapterHost {
    /// The blocks of triplets, in the order of the network's modules.
    public var tripletBlocks: [ParameterLayout.Block] { layout.blocks.filter(\.isTriplets) }
    public var missingLayers: [AdaptedLinear] { [] }
}

extension AdaptedModel: AdapterHost {
    public var linears: [AdaptedLinear] { encoder.linears }
    public var missingLayers: [AdaptedLinear] { encoder.missingLayers }
}
