import LinearAlgebra
import Testing
import WeightMethods

@Suite("Weight and spectral normalisation")
struct NormalizationTests {
    @Test("unit rows are PyTorch's")
    func rows() throws {
        let golden = try Golden.load()
        let weights = golden.weights.matrix
        #expect(try normalizeRows(weights.mutableView) == 1)
        // Both round the same quotient of double precision; the norms may differ in their last bit.
        #expect(distance(weights, golden.normalized.matrix) < 1e-7)
    }

    @Test("a row of zeros stays, and is counted; the shortest row of all becomes a unit row")
    func zeroRows() throws {
        let weights = Matrix(rows: 4, columns: 2, elements: [0, 0, 3, 4, -0.0, 0, .leastNonzeroMagnitude, 0])
        #expect(try normalizeRows(weights.mutableView) == 2)
        #expect(weights.elements == [0, 0, 0.6, 0.8, 0, 0, 1, 0])
    }

    @Test("rows of any scale get length 1, and keep it")
    func properties() throws {
        for weights in sampleMatrices(60) {
            try normalizeRows(weights.mutableView)
            let once = weights.elements
            // Each element is rounded to 24 bits, so the norm is 1 to a few of their units.
            #expect(rowNorms(of: weights.view).allSatisfy { $0 == 0 || abs($0 - 1) < 1e-6 })
            try normalizeRows(weights.mutableView)
            #expect(zip(weights.elements, once).allSatisfy { abs($0 - $1) <= 2 * $1.ulp })
        }
    }

    @Test(
        "σ_max is that of PyTorch's SVD, whatever the gap below it",
        arguments: [
            "random", "wide", "close", "equal", "row", "zero",
        ])
    func spectralNorms(name: String) throws {
        let golden = try #require(try Golden.load().spectral[name])
        let weights = golden.weights.matrix
        // Nine digits are promised.
        #expect(abs(try spectralNorm(of: weights.view) - golden.norm) <= 1e-9 * golden.norm)
        let before = weights.elements
        try normalizeSpectrum(weights.mutableView)
        if golden.norm == 0 {
            #expect(weights.elements == before)
        } else {
            // Single precision's rounding of each element.
            #expect(abs(try spectralNorm(of: weights.view) - 1) < 1e-6)
            #expect(zip(weights.elements, before).allSatisfy { abs(Double($0) - Double($1) / golden.norm) < 1e-7 })
        }
    }

    @Test("power iteration alone is as near as its residual says")
    func residual() {
        // Eigenvalues 1, 0.999, 0.5: too close for 30 iterations, and the quotient right all the same.
        let values = [0.5, 1, 0.999]
        let iteration = PowerIteration(order: 3, limit: 30) { vector, result in
            for index in 0..<3 { result[index] = values[index] * vector[index] }
        }
        #expect(!iteration.isConverged())
        #expect(values.contains { abs($0 - iteration.value) <= iteration.residual })
        #expect(iteration.value > 0.999 && iteration.value <= 1)
    }

    @Test("an operator of zeros has the eigenvalue 0")
    func zeroOperator() {
        let iteration = PowerIteration(order: 2, limit: 9) { $1 = $0.map { _ in 0 } }
        #expect(iteration.value == 0 && iteration.isConverged() && iteration.iterations == 1)
    }

    @Test("equal matrices give equal bits")
    func repeatable() throws {
        let weights = sampleMatrices(1)[0]
        #expect(try spectralNorm(of: weights.view) == spectralNorm(of: weights.view))
    }

    @Test("what is not finite is refused")
    func notFinite() {
        #expect(refusesWhatIsNotFinite { try normalizeRows($0) })
        #expect(refusesWhatIsNotFinite { try normalizeSpectrum($0) })
    }
}
