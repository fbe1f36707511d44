import LinearAlgebra
import Testing

/// Compares a hand-written gradient with central differences, element by element.
///
/// Single precision leaves about 1e-7 · |loss| / step of noise in a difference; with losses near 1 and a step of 1e-2 the
/// differences carry three digits, which is what `tolerance` asks of them, relative to the largest element.
func expectGradient(
    _ gradient: [Float], of parameters: UnsafeMutablePointer<Float>, tolerance: Double = 3e-3, step: Float = 1e-2,
    loss: () -> Double, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation
) {
    let scale = Double(gradient.map(abs).max() ?? 0)
    #expect(scale > 0, "\(what): the gradient is all zero", sourceLocation: sourceLocation)
    var worst = 0.0
    for index in gradient.indices {
        let value = parameters[index]
        parameters[index] = value + step
        let above = loss()
        parameters[index] = value - step
        let below = loss()
        parameters[index] = value
        let difference = (above - below) / Double((value + step) - (value - step))
        worst = max(worst, abs(difference - Double(gradient[index])))
    }
    #expect(worst <= tolerance * scale, "\(what): off by \(worst) of \(scale)", sourceLocation: sourceLocation)
}

/// A matrix of repeatable numbers of mixed sign, roughly uniform in ±scale.
func matrix(_ rows: Int, _ columns: Int, scale: Float = 1, seed: Int = 0) -> Matrix {
    var x = 0.1 + Double(seed) * 0.37
    return Matrix(
        rows: rows, columns: columns,
        elements: (0..<rows * columns).map { _ in
            x += 0.6180339887498949
            x -= x.rounded(.down)
            return Float(2 * x - 1) * scale
        })
}

/// Σ weights ∘ values, the loss of the checks: its gradient with respect to `values` is `weights`.
func weightedSum(_ weights: Matrix, _ values: MatrixView) -> Double {
    var sum = 0.0
    for row in 0..<values.rows {
        for column in 0..<values.columns { sum += Double(weights[row, column]) * Double(values.row(row)[column]) }
    }
    return sum
}
