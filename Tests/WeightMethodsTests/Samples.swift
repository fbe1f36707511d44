import FixtureFiles
import LinearAlgebra
import Testing
import WeightMethods

/// What PyTorch gives: Tests/goldens/make_weight_goldens.py.
struct Golden: Decodable {
    struct Tensor: Decodable {
        let shape: [Int]
        let values: [Float]
        var matrix: Matrix { Matrix(rows: shape[0], columns: shape[1], elements: values) }
    }
    struct Spectral: Decodable {
        let weights: Tensor
        let norm: Double
    }
    struct Quantized: Decodable { let whole, grouped: Tensor }
    struct Halves: Decodable { let weights, quantized: Tensor }
    struct Deviations: Decodable { let xavier, he: Double }

    let weights, gradient, normalized, clipped, sparse, sgd, decoupled, l2, unitRowGrowth, unitRowDecay: Tensor
    let spectral: [String: Spectral]
    let quantized: [String: Quantized]
    let halves: Halves
    let deviations: [String: Deviations]

    static func load() throws -> Golden { try Fixture.json("weight-methods-golden.json") }
}

/// Repeatable matrices of many scales and shapes: rows of zeros, repeated values and both signs among them.
func sampleMatrices(_ count: Int) -> [Matrix] {
    var state: UInt64 = 7
    func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / 0x1p53
    }
    return (0..<count).map { index in
        let (rows, columns) = (1 + Int(next() * 9), 1 + Int(next() * 40))
        let scale: Double = [1, 1e-6, 30, 1e-30, 1e20][index % 5]
        let offset: Double = [0, 0, 2, 0, -1][index % 5]
        return Matrix(
            rows: rows, columns: columns,
            elements: (0..<rows * columns).map { _ in
                let value: Double = next()
                guard value >= 0.1 else { return Float(0) }
                return Float(scale * (2 * value - 1 + offset))
            })
    }
}

/// The largest distance of two matrices' elements.
func distance(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.elements, b.elements).reduce(0) { max($0, (Double($1.0) - Double($1.1)).magnitude) }
}

/// A matrix with one element that is not finite.
func spoiled(_ value: Float) -> Matrix {
    let matrix = Matrix(rows: 3, columns: 4, elements: (0..<12).map { Float($0) - 5 })
    matrix[1, 2] = value
    return matrix
}

/// Whether a method refuses NaN and infinities by their place, and changes nothing.
func refusesWhatIsNotFinite(_ method: (MutableMatrixView) throws -> Void) -> Bool {
    [Float.nan, .infinity, -.infinity].allSatisfy { value in
        let matrix = spoiled(value)
        let before = matrix.elements.map(\.bitPattern)
        do {
            try method(matrix.mutableView)
            return false
        } catch let error as WeightMethodError {
            guard case .notFinite(row: 1, column: 2, _) = error else { return false }
            return matrix.elements.map(\.bitPattern) == before
        } catch {
            return false
        }
    }
}
