import AdaLoRA
import LinearAlgebra
import Testing

@Suite("The spectral norm of triplets")
struct TripletNormTests {
    /// The largest singular value of the product, formed and given to LAPACK.
    private func oracle(_ rows: Matrix, outputs: Int) throws -> Double {
        let inputs = rows.columns - outputs - 1
        let product = Matrix(rows: outputs, columns: inputs)
        for row in 0..<outputs {
            for column in 0..<inputs {
                product[row, column] = Float(
                    (0..<rows.rows).reduce(0.0) {
                        $0 + Double(rows[$1, row]) * Double(rows[$1, outputs]) * Double(rows[$1, outputs + 1 + column])
                    })
            }
        }
        return Double(try singularValueDecomposition(of: product.view).singularValues.first ?? 0)
    }

    private func random(_ count: Int, outputs: Int, inputs: Int, seed: Int) -> Matrix {
        var x = Double(seed) * 0.37
        return Matrix(
            rows: count, columns: outputs + 1 + inputs,
            elements: (0..<count * (outputs + 1 + inputs)).map { _ in
                x += 0.6180339887498949
                x = (x * 997).truncatingRemainder(dividingBy: 1)
                return Float(x - 0.5)
            })
    }

    @Test("is that of the product, for any number of triplets", arguments: [1, 2, 3, 7, 12])
    func random(count: Int) throws {
        for seed in 1...4 {
            let rows = random(count, outputs: 9, inputs: 14, seed: seed)
            // Magnitudes far apart, both signs, and one that is masked.
            for row in 0..<count { rows[row, 9] *= [1e-4, 1, 30][(row + seed) % 3] }
            if count > 2 { rows[1, 9] = 0 }
            let expected = try oracle(rows, outputs: 9)
            let found = spectralNorm(ofTriplets: rows.view, outputs: 9)
            // The oracle is in single precision.
            #expect(abs(found - expected) < 3e-6 * expected, "\(count) triplets, seed \(seed)")
        }
    }

    @Test("does not mind equal singular values, parallel vectors, zeros, or no triplets")
    func edges() throws {
        let equal = Matrix(rows: 2, columns: 7)  // e1·3·e1ᵀ + e2·3·e2ᵀ
        for row in 0..<2 {
            (equal[row, row], equal[row, 3], equal[row, 4 + row]) = (1, row == 0 ? 3 : -3, 1)
        }
        #expect(abs(spectralNorm(ofTriplets: equal.view, outputs: 3) - 3) < 3e-6)
        let parallel = random(4, outputs: 5, inputs: 6, seed: 3)
        for column in 0..<12 where column != 5 { for row in 1..<4 { parallel[row, column] = parallel[0, column] } }
        let expected = try oracle(parallel, outputs: 5)
        #expect(abs(spectralNorm(ofTriplets: parallel.view, outputs: 5) - expected) < 3e-6 * expected)
        #expect(spectralNorm(ofTriplets: Matrix(rows: 3, columns: 8).view, outputs: 4) == 0)
        #expect(spectralNorm(ofTriplets: Matrix(rows: 0, columns: 8).view, outputs: 4) == 0)
    }
}
