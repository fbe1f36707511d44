internal import LinearAlgebra

/// What a convolution over tokens reads: for each token the columns of its neighbours, zeros beyond the ends of its sequence;
/// column c of the neighbour k lies at c · width + k, as a kernel [outputs, columns, width] has it.
final class TokenWindows: Operation {
    private let width: Int

    /// - Parameter width: an odd number of tokens.
    init(width: Int) {
        precondition(width % 2 == 1)
        self.width = width
    }

    func isRowwise(input: Int) -> Bool { false }
    func addsToGradient(ofInput input: Int) -> Bool { true }

    /// Calls the body with each token that lies in a window: its row, that of the window, and its place there.
    private func forEachPlace(_ operands: PackedBatch, _ body: (_ row: Int, _ window: Int, _ place: Int) -> Void) {
        for sequence in operands.sequences {
            for window in sequence.rows {
                for place in 0..<width {
                    let row = window + place - width / 2
                    if sequence.rows.contains(row) { body(row, window, place) }
                }
            }
        }
    }

    func forward(_ operands: ForwardOperands) {
        let (input, output) = (operands.input(0), operands.output)
        output.clear()
        forEachPlace(operands.batch) { row, window, place in
            let (source, target) = (input.rowStart(row), output.rowStart(window) + place)
            for column in 0..<input.columns { target[column * width] = source[column] }
        }
    }

    func backward(_ operands: BackwardOperands) {
        guard let inputGradient = operands.inputGradient(0) else { return }
        if operands.keep(0) == 0 { inputGradient.clear() }
        let gradient = operands.outputGradient
        forEachPlace(operands.batch) { row, window, place in
            let (source, target) = (gradient.rowStart(window) + place, inputGradient.rowStart(row))
            for column in 0..<inputGradient.columns { target[column] += source[column * width] }
        }
    }
}

extension NetworkDescription {
    /// The neighbours of each token, [tokens, columns · width], for a convolution.
    public func windows(_ x: NetworkValue, width: Int) -> NetworkValue {
        append(TokenWindows(width: width), reading: [x], columns: columns(of: x) * width)
    }
}
