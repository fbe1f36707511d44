public import LinearAlgebra

/// One step of a network: a forward pass, and the backward pass that goes with the latest forward pass of training.
///
/// It computes from the operands that it is given, and keeps of a pass only what no other operation reads (masks, means).
public protocol Operation: AnyObject {
    /// Whether anything of its own is trained.
    var isTrained: Bool { get }

    /// Whether a row of the output depends on the same row of this input alone. Only such an operation can be computed for a
    /// part of the rows.
    func isRowwise(input: Int) -> Bool

    /// What the backward pass reads of the forward pass.
    var backwardReads: BackwardReads { get }

    /// Where the passes write.
    var placement: Placement { get }

    /// Whether the backward pass can add to an input's gradient; else it replaces it.
    func addsToGradient(ofInput input: Int) -> Bool

    /// Whether the backward pass gives the gradient of a value that is several of its inputs as one; else each of these inputs
    /// has a gradient of its own, and they are summed.
    var givesRepeatedInputsTogether: Bool { get }

    func forward(_ operands: ForwardOperands)
    func backward(_ operands: BackwardOperands)
}

/// What of the forward pass a backward pass reads.
public struct BackwardReads: Sendable {
    /// Numbers of inputs.
    public var inputs: [Int]
    public var output: Bool

    public init(inputs: [Int] = [], output: Bool = false) {
        self.inputs = inputs
        self.output = output
    }
}

/// Where an operation writes what it gives.
public enum Placement: Sendable {
    /// To a buffer of its own.
    case own
    /// To one of its own; and it leaves what the backward pass reads in the place of its first input, which no other
    /// operation may read.
    case replacingInput
    /// To a buffer that holds the first input: in its place, where nothing else reads that, or else in that of a copy. And the
    /// gradient of the input in the place of that of the output.
    case inPlace
    /// To a buffer of its own, but the gradient of the first input goes in the place of that of the output; and the first
    /// input as with `replacingInput`.
    case replacingInputAndGradient

    var replacesInput: Bool { self == .replacingInput || self == .replacingInputAndGradient }
    var gradientIsInPlace: Bool { self == .inPlace || self == .replacingInputAndGradient }
}

extension Operation {
    public var isTrained: Bool { false }
    public func isRowwise(input: Int) -> Bool { true }
    public var backwardReads: BackwardReads { BackwardReads() }
    public var placement: Placement { .own }
    public func addsToGradient(ofInput input: Int) -> Bool { false }
    public var givesRepeatedInputsTogether: Bool { false }
}

/// What an operation works with in the forward pass.
public struct ForwardOperands {
    let network: Network
    let node: Network.Node
    public let pass: Pass

    public func input(_ number: Int) -> MatrixView { network.buffer(of: node.inputs[number]).view }
    public var inputCount: Int { node.inputs.count }
    /// The first input, to be replaced by what the backward pass reads.
    public var replacedInput: MutableMatrixView { network.buffer(of: node.inputs[0]).mutableView }
    /// [rows, columns]; its elements are undefined before.
    public var output: MutableMatrixView { network.buffer(of: node.output).mutableView }
    /// The rows of the output.
    public var batch: PackedBatch { network.batch(of: node.output) }
    /// The rows of an input.
    public func batch(ofInput number: Int) -> PackedBatch { network.batch(of: node.inputs[number]) }
}

/// What an operation works with in the backward pass.
public struct BackwardOperands {
    let network: Network
    let node: Network.Node
    public let pass: Pass
    public let gradients: LaneGradients

    public func input(_ number: Int) -> MatrixView { network.buffer(of: node.inputs[number]).view }
    public var inputCount: Int { node.inputs.count }
    public var output: MatrixView { network.buffer(of: node.output).view }
    /// May be overwritten.
    public var outputGradient: MutableMatrixView {
        network.gradientBuffer(of: node.output).mutableView
    }
    public var batch: PackedBatch { network.batch(of: node.output) }
    public func batch(ofInput number: Int) -> PackedBatch { network.batch(of: node.inputs[number]) }

    /// Where an input's gradient goes; nil where nothing below needs one.
    public func inputGradient(_ number: Int) -> MutableMatrixView? {
        switch node.contributions[number] {
        case .none, .passed: nil
        case .first, .added: network.gradientBuffer(of: node.inputs[number]).mutableView
        case .apart(let key): network.scratch(key).mutableView
        case .together(let earlier): inputGradient(earlier)
        }
    }

    /// 1 where the operation adds to an input's gradient, 0 where it replaces it.
    public func keep(_ number: Int) -> Float {
        switch node.contributions[number] {
        case .added: 1
        case .together(let earlier): keep(earlier)
        case .none, .first, .apart, .passed: 0
        }
    }

    /// Whether an input is the value of an earlier one, and their gradient goes to one place.
    public func isTogetherWithEarlier(_ number: Int) -> Bool {
        if case .together = node.contributions[number] { true } else { false }
    }
}
