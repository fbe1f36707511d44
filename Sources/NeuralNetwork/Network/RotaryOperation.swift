/// Turns the first heads of each row by their position.
final class RotaryOperation: Operation {
    private let positions: RotaryPositions
    private let headCount: Int
    private let headWidth: Int

    init(_ positions: RotaryPositions, headCount: Int, headWidth: Int) {
        self.positions = positions
        self.headCount = headCount
        self.headWidth = headWidth
    }

    var placement: Placement { .inPlace }

    func forward(_ operands: ForwardOperands) {
        positions.turn(
            operands.output, headCount: headCount, headWidth: headWidth, direction: 1,
            batch: operands.batch)
    }

    func backward(_ operands: BackwardOperands) {
        positions.turn(
            operands.outputGradient, headCount: headCount, headWidth: headWidth, direction: -1,
            batch: operands.batch)
    }
}

extension NetworkDescription {
    /// x with its first heads turned by their positions.
    public func turned(
        _ x: NetworkValue, _ positions: RotaryPositions, headCount: Int, headWidth: Int
    ) -> NetworkValue {
        append(
            RotaryOperation(positions, headCount: headCount, headWidth: headWidth), reading: [x],
            columns: columns(of: x))
    }
}
