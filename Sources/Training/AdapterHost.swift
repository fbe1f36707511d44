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
    /// What blocks begin as that have no pretrained values, by their names.
    var starts: [String: TensorStart] { get }
}

extension AdapterHost {
    /// The blocks of triplets, in the order of the network's modules.
    public var tripletBlocks: [ParameterLayout.Block] { layout.blocks.filter(\.isTriplets) }
    /// Those of a head of one layer.
    public var starts: [String: TensorStart] {
        Dictionary(
            layout.blocks.suffix(2).map { ($0.name, $0.kind == .vector ? .zero : .headWeight) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// What a tensor begins as that no model's files have.
public enum TensorStart: Sendable {
    case zero
    case one
    /// As transformers draws what is missing of a network.
    case pretrainedWeight
    /// As `head.initialization` says.
    case headWeight
}

extension AdaptedModel: AdapterHost {
    public var linears: [AdaptedLinear] { encoder.linears }
    public var starts: [String: TensorStart] {
        newTensors.mapValues { entry in
            switch entry.start {
            case .zero: .zero
            case .one: .one
            case .random: entry.role == .head ? .headWeight : .pretrainedWeight
            }
        }
    }
}
