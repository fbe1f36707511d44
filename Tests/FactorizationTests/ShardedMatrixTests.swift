import Factorization
import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Products of sharded matrices")
struct ShardedMatrixTests {
    /// Sums of at most 300 products of numbers below 5.
    private let tolerance = 1e-11

    @Test(
        "are those by definition, for fewer rows than shards and for more columns than a strip",
        arguments: [(1, 3), (15, 4), (16, 1), (37, 300), (100, 20)])
    func products(rows: Int, columns: Int) throws {
        let matrix = randomMatrix(rows, columns)
        let sharded = ShardedMatrix(matrix)
        let (right, left) = (randomMatrix(columns, 3, seed: 2), randomMatrix(rows, 3, seed: 3))
        #expect(largestDifference(try sharded.times(right), product(matrix, right)) < tolerance)
        #expect(largestDifference(try sharded.transposedTimes(left), product(matrix.transposed(), left)) < tolerance)
        let gram = try sharded.gram()
        let expected = product(matrix.transposed(), matrix)
        for row in 0..<columns {
            for column in row..<columns { #expect(abs(gram[row, column] - expected[row, column]) < tolerance) }
        }
    }

    @Test("cut the rows into the same shards, each once")
    func shards() {
        let rows = ShardedMatrix(randomMatrix(53, 2)).shardRows
        #expect(rows.count == ShardedMatrix.shardCount)
        #expect(rows.flatMap { Array($0) } == Array(0..<53))
    }
}

@Suite("What factors give back")
struct ReconstructionTests {
    @Test(
        "errors with and without ReLU, and the largest new entries, are those by definition",
        arguments: [0, 1, 7, 10_000])
    func definition(most: Int) throws {
        // Of 150 × 90 entries three quarters are zero: more than are kept at a time.
        let matrix = randomMatrix(150, 90)
        for index in 0..<matrix.count where index % 4 != 0 { matrix.pointer[index] = 0 }
        let sharded = ShardedMatrix(matrix)
        let factors = try sharded.singularFactors(.rank(20))
        let whole = product(factors.left, factors.right)
        let result = try sharded.reconstruction(
            left: factors.left, right: factors.right, wanted: .init(most: most, least: 0.25))
        let positive = DoubleMatrix(
            rows: whole.rows, columns: whole.columns, elements: whole.elements.map { max($0, 0) })
        let norm = matrix.sumOfSquares
        #expect(abs(result.relativeError - (squaredDistance(whole, matrix) / norm).squareRoot()) < 1e-12)
        #expect(abs(result.rectifiedError - (squaredDistance(positive, matrix) / norm).squareRoot()) < 1e-12)
        let expected = (0..<matrix.count)
            .filter { matrix.pointer[$0] == 0 && whole.pointer[$0] >= 0.25 }
            .sorted { whole.pointer[$0] > whole.pointer[$1] }.prefix(most)
        #expect(result.derived.map { $0.row * 90 + $0.column } == Array(expected))
        #expect(zip(result.derived, expected).allSatisfy { abs($0.value - whole.pointer[$1]) < 1e-12 })
    }

    @Test("equal values come by row, then column")
    func ties() throws {
        let matrix = DoubleMatrix(rows: 20, columns: 3)
        let (left, right) = (DoubleMatrix(rows: 20, columns: 1), DoubleMatrix(rows: 1, columns: 3))
        for row in 0..<20 { left[row, 0] = 1 }
        for column in 0..<3 { right[0, column] = 2 }
        let result = try ShardedMatrix(matrix).reconstruction(
            left: left, right: right, wanted: .init(most: 4, least: 0))
        #expect(result.derived.map(\.row) == [0, 0, 0, 1])
        #expect(result.derived.map(\.column) == [0, 1, 2, 0])
    }
}
