internal import LinearAlgebra

/// An activation of a biased product.
final class ActivationOperation: Operation {
    private let activation: Activation
    /// Whose bias it adds; nil where it reads no linear layer's product.
    private let linear: AdaptedLinear?

    init(_ activation: Activation, biasOf linear: AdaptedLinear?) {
        self.activation = activation
        self.linear = linear
    }

    var placement: Placement { .replacingInputAndGradient }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0]) }

    func forward(_ operands: ForwardOperands) {
        activation.forward(operands.replacedInput, bias: linear?.bias, into: operands.output, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        activation.backward(derivative: operands.input(0), gradient: operands.outputGradient)
    }
}

/// tanh of a biased product.
final class TangentOperation: Operation {
    /// Whose bias it adds; nil where it reads no linear layer's product.
    private let linear: AdaptedLinear?

    init(biasOf linear: AdaptedLinear?) {
        self.linear = linear
    }

    var placement: Placement { .inPlace }
    var backwardReads: BackwardReads { BackwardReads(output: true) }

    func forward(_ operands: ForwardOperands) { HyperbolicTangent.forward(operands.output, bias: linear?.bias) }

    func backward(_ operands: BackwardOperands) {
        HyperbolicTangent.backward(output: operands.output, gradient: operands.outputGradient)
    }
}

/// `f(u)·v` of a biased product whose rows are (u | v).
final class GatedOperation: Operation {
    private let activation: Activation
    /// Whose bias it adds; nil where it reads no linear layer's product.
    private let linear: AdaptedLinear?

    init(_ activation: Activation, biasOf linear: AdaptedLinear?) {
        self.activation = activation
        self.linear = linear
    }

    var placement: Placement { .replacingInput }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0]) }

    func forward(_ operands: ForwardOperands) {
        activation.forwardGate(operands.replacedInput, bias: linear?.bias, into: operands.output, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        guard let inputGradient = operands.inputGradient(0) else { return }
        Activation.backwardGate(
            derivatives: operands.input(0), gradient: operands.outputGradient.view, inputGradient: inputGradient)
    }
}

extension NetworkDescription {
    /// f(x); with the bias of the linear layer that gives x, if one does. Nothing else may read x.
    public func activated(_ x: NetworkValue, _ activation: Activation) -> NetworkValue {
        append(ActivationOperation(activation, biasOf: takeBias(of: x)), reading: [x], columns: columns(of: x))
    }

    /// GELU(x), with the error function; otherwise as ``activated(_:_:)``.
    public func gelu(_ x: NetworkValue) -> NetworkValue { activated(x, .gelu) }

    /// tanh(x); otherwise as ``activated(_:_:)``.
    public func tanh(_ x: NetworkValue) -> NetworkValue {
        append(TangentOperation(biasOf: takeBias(of: x)), reading: [x], columns: columns(of: x))
    }

    /// f(u)·v, where u is the first half of x's columns and v the second; otherwise as ``activated(_:_:)``.
    public func gated(_ x: NetworkValue, _ activation: Activation) -> NetworkValue {
        precondition(columns(of: x).isMultiple(of: 2))
        return append(
            GatedOperation(activation, biasOf: takeBias(of: x)), reading: [x], columns: columns(of: x) / 2)
    }
}
