import Foundation
import LinearAlgebra
import NeuralNetwork
import Testing

/// Single precision leaves about 1e-7 of a number in each step; what is compared here takes a few dozen of them.
@Suite("Every operation agrees with its definition in double precision")
struct OperationOracleTests {
    private func expect(
        _ found: MatrixView, tolerance: Double = 3e-6, sourceLocation: SourceLocation = #_sourceLocation,
        _ expected: (_ row: Int, _ column: Int) -> Double
    ) {
        var worst = 0.0
        for row in 0..<found.rows {
            for (column, value) in found.row(row).enumerated() {
                let wanted = expected(row, column)
                let error = abs(Double(value) - wanted) / max(1, abs(wanted))
                worst = error.isNaN ? .infinity : max(worst, error)
            }
        }
        #expect(worst <= tolerance, sourceLocation: sourceLocation)
    }

    private func function(_ activation: Activation) -> (Double) -> Double {
        switch activation {
        case .gelu: { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
        case .geluTanh: { $0 * 0.5 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * pow($0, 3)))) }
        case .silu: { $0 / (1 + exp(-$0)) }
        case .relu: { max($0, 0) }
        }
    }

    @Test("an activation and its derivative", arguments: Activation.allCases, [true, false])
    func activations(activation: Activation, hasBias: Bool) {
        let (count, function) = (201, function(activation))
        // Far out too, where exponentials vanish; none at 0, where ReLU has no derivative.
        let values = Matrix(rows: 1, columns: count, elements: (0..<count).map { (Float($0) - 100.25) * 0.3 })
        let bias = matrix(1, count, scale: 0.05)
        let x = (0..<count).map { Double(values.pointer[$0]) + (hasBias ? Double(bias.pointer[$0]) : 0) }
        let output = Matrix(rows: 1, columns: count)
        for pass in [Pass.inference, .training(seed: 0, step: 0)] {
            activation.forward(
                values.mutableView, bias: hasBias ? bias.pointer : nil, into: output.mutableView, pass: pass)
            expect(output.view) { function(x[$1]) }
        }
        expect(values.view) { (function(x[$1] + 1e-5) - function(x[$1] - 1e-5)) / 2e-5 }
        withExtendedLifetime(bias) {}
    }

    @Test("what is not a number stays so", arguments: Activation.allCases)
    func notANumber(activation: Activation) {
        let (values, output) = (Matrix(rows: 1, columns: 1, elements: [.nan]), Matrix(rows: 1, columns: 1))
        activation.forward(values.mutableView, bias: nil, into: output.mutableView, pass: .inference)
        #expect(output.pointer[0].isNaN)
    }

    @Test("a gate", arguments: Activation.allCases, [true, false])
    func gate(activation: Activation, hasBias: Bool) {
        let (rows, columns, function) = (5, 19, function(activation))
        let input = matrix(rows, 2 * columns, scale: 4)
        let bias = matrix(1, 2 * columns, seed: 3)
        let product = input.elements
        func x(_ row: Int, _ column: Int) -> Double {
            Double(product[row * 2 * columns + column]) + (hasBias ? Double(bias.pointer[column]) : 0)
        }
        let output = Matrix(rows: rows, columns: columns)
        for pass in [Pass.inference, .training(seed: 0, step: 0)] {
            activation.forwardGate(
                input.mutableView, bias: hasBias ? bias.pointer : nil, into: output.mutableView, pass: pass)
            expect(output.view) { function(x($0, $1)) * x($0, columns + $1) }
        }
        withExtendedLifetime(bias) {}
    }

    /// What a network of one operation gives for numbers.
    private func result(
        _ inputs: [Matrix], pass: Pass = .inference, _ build: (NetworkDescription, [NetworkValue]) -> NetworkValue
    ) -> (view: MatrixView, keep: Network) {
        let description = NetworkDescription()
        let values = inputs.map { description.append(Given($0), rows: .tokens, columns: $0.columns) }
        let network = Network(description, output: build(description, values))
        return (network.forward([unevenBatch, unevenBatch.samples()], pass: pass), network)
    }

    private let rowCount = unevenBatch.rowCount

    /// The sequence of a row, and the row's place in it.
    private func place(_ row: Int) -> (rows: Range<Int>, position: Int) {
        let rows = unevenBatch.sequences.map(\.rows).first { $0.contains(row) } ?? 0..<0
        return (rows, row - rows.lowerBound)
    }

    /// The heads of a row turned as complex numbers.
    private func turned(_ x: Matrix, _ row: Int, _ column: Int, heads: Int, width: Int, base: Double) -> Double {
        guard column < heads * width else { return Double(x[row, column]) }
        let (start, pairs) = (column / width * width, width / 2)
        let pair = (column - start) % pairs
        let angle = Double(place(row).position) * pow(base, -2 * Double(pair) / Double(width))
        let (a, b) = (Double(x[row, start + pair]), Double(x[row, start + pairs + pair]))
        return column - start < pairs ? a * cos(angle) - b * sin(angle) : b * cos(angle) + a * sin(angle)
    }

    @Test("heads turn by their positions in their sequences")
    func rotation() {
        let x = matrix(rowCount, 35)
        let found = result([x]) { network, values in
            network.turned(values[0], RotaryPositions(base: 10_000, width: 16), headCount: 2, headWidth: 16)
        }
        expect(found.view) { turned(x, $0, $1, heads: 2, width: 16, base: 10_000) }
        withExtendedLifetime(found.keep) {}
    }

    @Test(
        "attention of a fused projection that turns, in a window or everywhere, of all rows or the first",
        arguments: [nil, 0, 1, 5, 16, 40], [6, 16])
    func attention(window: Int?, width: Int) {
        let (heads, base) = (2, 50.0)
        let columns = heads * width
        let x = matrix(rowCount, 3 * columns, scale: 2)
        func element(_ row: Int, _ column: Int) -> Double {
            turned(x, row, column, heads: 2 * heads, width: width, base: base)
        }
        func expected(_ row: Int, _ column: Int) -> Double {
            let (rows, start) = (place(row).rows, column / width * width)
            let heard = rows.filter { abs($0 - row) <= window ?? rows.count }
            let scores = heard.map { other in
                (start..<start + width).map { element(row, $0) * element(other, columns + $0) }.reduce(0, +)
                    / Double(width).squareRoot()
            }
            let largest = scores.max() ?? 0
            let factors = scores.map { exp($0 - largest) }
            return zip(factors, heard).map { $0 * element($1, 2 * columns + column) }.reduce(0, +)
                / factors.reduce(0, +)
        }
        for isReduced in [false, true] {
            let found = result([x]) { network, values in
                let turned = network.turned(
                    values[0], RotaryPositions(base: base, width: width), headCount: 2 * heads, headWidth: width)
                let output = network.attention(
                    fused: turned,
                    Attention(
                        headCount: heads, headWidth: width, window: window, dropout: Dropout(site: 0, probability: 0)))
                return isReduced ? network.first(output) : output
            }
            let starts = unevenBatch.sequences.map(\.rows.lowerBound)
            #expect(found.view.rows == (isReduced ? starts.count : rowCount))
            expect(found.view) { expected(isReduced ? starts[$0] : $0, $1) }
            withExtendedLifetime(found.keep) {}
        }
    }

    @Test("a layer norm without offset")
    func normalization() {
        let (columns, epsilon) = (21, 1e-5)
        let (x, gain) = (matrix(rowCount, columns, scale: 3), matrix(1, columns, seed: 1))
        let found = result([x]) { network, values in
            network.normalized(
                values[0],
                ResidualNormalization(
                    gain: NetworkTensor(values: gain.pointer, block: nil), offset: nil, columns: columns,
                    epsilon: Float(epsilon), dropout: Dropout(site: 0, probability: 0)))
        }
        expect(found.view) { row, column in
            let values = (0..<columns).map { Double(x[row, $0]) }
            let mean = values.reduce(0, +) / Double(columns)
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(columns)
            return (values[column] - mean) / (variance + epsilon).squareRoot() * Double(gain[0, column])
        }
        withExtendedLifetime((found.keep, gain)) {}
    }

    @Test("a sum, and means of rows")
    func sums() {
        let (x, y) = (matrix(rowCount, 7), matrix(rowCount, 7, seed: 1))
        let sum = result([x, y]) { $0.sum($1[0], plus: $1[1]) }
        expect(sum.view) { Double(x[$0, $1]) + Double(y[$0, $1]) }
        let mean = result([x]) { $0.mean($1[0]) }
        #expect(mean.view.rows == unevenBatch.sequences.count)
        expect(mean.view) { sample, column in
            let rows = unevenBatch.sequences[sample].rows
            return rows.map { Double(x[$0, column]) }.reduce(0, +) / Double(rows.count)
        }
        withExtendedLifetime((sum.keep, mean.keep)) {}
    }
}

/// Numbers as they are.
private final class Given: NeuralNetwork.Operation {
    private let values: Matrix
    init(_ values: Matrix) { self.values = values }
    func forward(_ operands: ForwardOperands) {
        operands.output.base.update(from: values.pointer, count: values.rows * values.columns)
    }
    func backward(_ operands: BackwardOperands) {}
}
