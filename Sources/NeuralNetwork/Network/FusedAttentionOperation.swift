internal import LinearAlgebra

/// Multi-head attention of values whose rows are (query | key | value): the first input gives the queries, the second the keys
/// and values.
///
/// At first both are the same value. Where only first rows are read (``FirstRows``), the first input has no others.
final class FusedAttentionOperation: Operation {
    private let layer: Attention
    private let unread = [Matrix(), Matrix()]  // gradients that the kernel gives and nobody needs

    init(_ layer: Attention) {
        self.layer = layer
    }

    /// A query asks for itself alone; what it hears comes from all rows.
    func isRowwise(input: Int) -> Bool { input == 0 }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0, 1]) }
    var givesRepeatedInputsTogether: Bool { true }

    private func columns(_ part: Int) -> Range<Int> { part * layer.columns..<(part + 1) * layer.columns }

    func forward(_ operands: ForwardOperands) {
        let (queries, heard) = (operands.input(0), operands.input(1))
        layer.forward(
            query: queries[columns: columns(0)], key: heard[columns: columns(1)], value: heard[columns: columns(2)],
            into: operands.output, batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        let (queries, heard) = (operands.input(0), operands.input(1))
        func gradient(_ number: Int) -> MutableMatrixView {
            operands.inputGradient(number) ?? unread[number].resized(like: operands.input(number))
        }
        let (queryGradient, heardGradient) = (gradient(0), gradient(1))
        if !operands.isTogetherWithEarlier(1) {
            queryGradient[columns: layer.columns..<3 * layer.columns].clear()
            heardGradient[columns: columns(0)].clear()
        }
        layer.backward(
            operands.outputGradient.view, query: queries[columns: columns(0)], key: heard[columns: columns(1)],
            value: heard[columns: columns(2)], queryGradient: queryGradient[columns: columns(0)],
            keyGradient: heardGradient[columns: columns(1)], valueGradient: heardGradient[columns: columns(2)],
            batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass)
    }
}

extension NetworkDescription {
    /// `dropout(softmax(Q·Kᵀ/√d))·V`, head by head, of rows (Q | K | V).
    public func attention(fused x: NetworkValue, _ layer: Attention) -> NetworkValue {
        precondition(columns(of: x) == 3 * layer.columns)
        return append(FusedAttentionOperation(layer), reading: [x, x], columns: layer.columns)
    }

    /// The same of a projection of x to (Q | K | V), where queries and keys turn by their positions.
    public func rotaryAttention(
        of x: NetworkValue, projection: AdaptedLinear, _ positions: RotaryPositions, _ layer: Attention
    ) -> NetworkValue {
        // Queries and keys lie next to each other: twice as many heads turn.
        let turned = turned(
            linear(x, projection), positions, headCount: 2 * layer.headCount, headWidth: layer.headWidth)
        return attention(fused: turned, layer)
    }
}
