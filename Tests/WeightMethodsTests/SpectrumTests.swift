import Foundation
import LinearAlgebra
import Testing
import WeightMethods

@Suite("Spectra and statistics")
struct SpectrumTests {
    private func spectrum(_ matrix: Matrix) throws -> Spectrum {
        defer { withExtendedLifetime(matrix) {} }
        return try Spectrum(of: matrix.view)
    }

    @Test("norms, ranks and overlaps agree with the SVD and with all pairs, one by one", arguments: 0..<20)
    func oracle(index: Int) throws {
        let weights = sampleMatrices(20)[index]
        let spectrum = try spectrum(weights)
        let scale = Double(weights.elements.map(\.magnitude).max() ?? 0)
        guard scale > 0 else { return }
        // LAPACK's in single precision, of the matrix at the scale of 1.
        let scaled = Matrix(
            rows: weights.rows, columns: weights.columns, elements: weights.elements.map { Float(Double($0) / scale) })
        let values = try singularValueDecomposition(of: scaled.view).singularValues.map(Double.init)
        let energy = values.reduce(0) { $0 + $1 * $1 }
        let entropy = values.reduce(0.0) { sum, value in
            let share = value / values.reduce(0, +)
            return share > 0 ? sum - share * log(share) : sum
        }
        // Single precision's rounding in the scaled copy and in sgesdd.
        let tolerance = 1e-5
        #expect(abs(spectrum.spectralNorm / scale - values[0]) < tolerance * values[0])
        #expect(abs(spectrum.frobeniusNorm / scale - energy.squareRoot()) < tolerance * energy.squareRoot())
        #expect(abs(spectrum.stableRank - energy / (values[0] * values[0])) < tolerance * 10)
        #expect(abs(spectrum.effectiveRank - exp(entropy)) < 1e-3)
        for (share, rank) in [(0.9, spectrum.rank90), (0.99, spectrum.rank99)] {
            let kept = { (count: Int) in values.prefix(count).reduce(0) { $0 + $1 * $1 } / energy }
            #expect(kept(rank) > share - tolerance && kept(rank - 1) < share + tolerance)
        }
        let rows = (0..<weights.rows).map { row in weights.view.row(row).map { Double($0) } }.map { row in
            (row: row, norm: row.reduce(0) { $0 + $1 * $1 }.squareRoot())
        }
        #expect(spectrum.zeroRows == rows.count { $0.norm == 0 })
        #expect(abs(spectrum.meanRowNorm - rows.reduce(0) { $0 + $1.norm } / Double(rows.count)) < 1e-12 * scale * 100)
        let unit = rows.filter { $0.norm > 0 }
        var squares: [Double] = []
        for (i, first) in unit.enumerated() {
            for (j, second) in unit.enumerated() where i != j {
                let cosine = zip(first.row, second.row).reduce(0) { $0 + $1.0 * $1.1 } / first.norm / second.norm
                squares.append(cosine * cosine)
            }
        }
        if squares.isEmpty {
            #expect(spectrum.meanSquaredOverlap == nil && spectrum.welchBound == nil)
        } else {
            let mean = squares.reduce(0, +) / Double(squares.count)
            #expect(abs(try #require(spectrum.meanSquaredOverlap) - mean) < 1e-12)
            #expect(mean >= (try #require(spectrum.welchBound)) - 1e-12)
        }
    }

    @Test("three vectors at 120° in the plane reach Welch's bound, ¼")
    func tightFrame() throws {
        let half = Float(3).squareRoot() / 2
        let spectrum = try spectrum(Matrix(rows: 3, columns: 2, elements: [1, 0, -0.5, half, -0.5, -half]))
        #expect(spectrum.welchBound == 0.25)
        #expect(abs(try #require(spectrum.meanSquaredOverlap) - 0.25) < 1e-7)
        #expect(spectrum.shareOfLongRows == 1)
    }

    @Test("of a matrix of zeros, a single row, and a matrix that is empty or not finite")
    func edges() throws {
        let zero = try spectrum(Matrix(rows: 2, columns: 3))
        #expect(zero.effectiveRank == 0 && zero.stableRank == 0 && zero.rank90 == 0 && zero.zeroRows == 2)
        let row = try spectrum(Matrix(rows: 1, columns: 2, elements: [3, 4]))
        #expect(row.spectralNorm == 5 && row.stableRank == 1 && row.rank99 == 1 && row.meanSquaredOverlap == nil)
        #expect(throws: WeightMethodError.self) { try spectrum(Matrix(rows: 0, columns: 2)) }
        #expect(throws: WeightMethodError.notFinite(row: 1, column: 2, value: .infinity)) {
            try spectrum(spoiled(.infinity))
        }
    }

    @Test("statistics of parts, joined, are those of the whole; what is not finite is counted apart")
    func statistics() throws {
        let values = (0..<1_000).map { index in Float(1_000 + sin(Double(index))) } + [.nan, .infinity, 0]
        let whole = values.withUnsafeBufferPointer { TensorStatistics(of: $0) }
        var joined = TensorStatistics()
        for start in stride(from: 0, to: values.count, by: 77) {
            joined.append(
                values[start..<min(start + 77, values.count)].withUnsafeBufferPointer { TensorStatistics(of: $0) })
        }
        #expect(joined.count == 1_001 && joined.notFinite == 2 && joined.zeros == 1)
        #expect(joined.minimum == whole.minimum && joined.maximum == whole.maximum)
        // The order of additions differs.
        #expect(abs(joined.mean - whole.mean) < 1e-9)
        #expect(abs(joined.standardDeviation - whole.standardDeviation) < 1e-9)
        #expect(abs(joined.norm - whole.norm) < 1e-6)
        let few = ([1, 3] as [Float]).withUnsafeBufferPointer { TensorStatistics(of: $0) }
        #expect(few.mean == 2 && few.standardDeviation == 1 && few.norm == Double(10).squareRoot())
        #expect(TensorStatistics().minimum == nil && TensorStatistics().standardDeviation == 0)
    }
}
