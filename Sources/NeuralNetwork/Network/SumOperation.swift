internal import CKernels
internal import LinearAlgebra

/// The sum of a branch, the first input, and what it branched from, the second.
final class SumOperation: Operation {
    /// Whose bias it adds; nil where the branch ends with no linear layer's product.
    private let linear: AdaptedLinear?

    init(biasOf linear: AdaptedLinear?) {
        self.linear = linear
    }

    var placement: Placement { .inPlace }
    func addsToGradient(ofInput input: Int) -> Bool { true }

    func forward(_ operands: ForwardOperands) {
        let sum = operands.output
        kernel_add_biased(sum.base, linear?.bias, operands.input(1).base, sum.rows, sum.columns)
    }

    /// The branch's gradient is the sum's, and lies there.
    func backward(_ operands: BackwardOperands) {
        guard let gradient = operands.inputGradient(1) else { return }
        let (given, count) = (operands.outputGradient, gradient.rows * gradient.columns)
        if operands.keep(1) == 0 {
            gradient.base.update(from: given.base, count: count)
        } else {
            kernel_add(gradient.base, given.base, count)
        }
    }
}

extension NetworkDescription {
    /// `x + residual`, with the bias of the linear layer that gives x, if one does: then nothing else may read x.
    public func sum(_ x: NetworkValue, plus residual: NetworkValue) -> NetworkValue {
        append(SumOperation(biasOf: takeBias(of: x)), reading: [x, residual], columns: columns(of: x))
    }
}
