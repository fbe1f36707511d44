internal import CKernels
internal import LinearAlgebra

/// The mean of the rows of each sequence: from tokens to samples.
public final class MeanRows: Operation {
    public init() {}

    public func isRowwise(input: Int) -> Bool { false }
    public func addsToGradient(ofInput input: Int) -> Bool { true }

    public func forward(_ operands: ForwardOperands) {
        let (input, output) = (operands.input(0), operands.output)
        for (sequence, sample) in zip(operands.batch(ofInput: 0).sequences, operands.batch.sequences) {
            let (rows, mean) = (input[rows: sequence.rows], output.rowStart(sample.rows.lowerBound))
            kernel_column_sums(rows.base, rows.stride, mean, rows.rows, rows.columns)
            kernel_scale(mean, 1 / Float(rows.rows), rows.columns)
        }
    }

    public func backward(_ operands: BackwardOperands) {
        guard let inputGradient = operands.inputGradient(0) else { return }
        if operands.keep(0) == 0 { inputGradient.clear() }
        let gradient = operands.outputGradient
        for (sequence, sample) in zip(operands.batch(ofInput: 0).sequences, operands.batch.sequences) {
            let share = 1 / Float(sequence.rows.count)
            for row in sequence.rows {
                kernel_add_scaled(
                    inputGradient.rowStart(row), share, gradient.rowStart(sample.rows.lowerBound), gradient.columns)
            }
        }
    }
}

extension NetworkDescription {
    /// The mean of the rows of each sequence.
    public func mean(_ x: NetworkValue) -> NetworkValue {
        append(MeanRows(), reading: [x], rows: .samples, columns: columns(of: x))
    }
}
