import Diagnostics
import Factorization
import LinearAlgebra
import Testing

@Suite("Factors of a rank")
struct FactorTests {
    enum Method: CaseIterable { case svd, gram, randomized }

    private func factors(_ method: Method, of matrix: DoubleMatrix, _ choice: RankChoice) throws -> Factors {
        let sharded = ShardedMatrix(matrix)
        return switch method {
        case .svd: try sharded.singularFactors(choice)
        case .gram: try sharded.gramFactors(choice)
        case .randomized: try sharded.randomizedFactors(choice, settings: RandomizedSettings(seed: 7))
        }
    }

    /// Singular values 12, 11, …: squares below 144, so that 1e-9 is far above what rounding, and the randomised residual of
    /// 1e-6 σ1, which enters squared, can do.
    private static let values = (0..<12).map { 12 - Double($0) }

    @Test(
        "leave Σσ² beyond the rank, whichever side is longer, by every method", arguments: Method.allCases,
        [(40, 21), (21, 40), (16, 16), (3, 50)])
    func bestApproximation(method: Method, shape: (Int, Int)) throws {
        let values = Array(Self.values.prefix(min(shape.0, shape.1)))
        let matrix = try matrix(shape.0, shape.1, singularValues: values)
        for rank in [1, 2, values.count - 1] {
            let result = try factors(method, of: matrix, .rank(rank))
            #expect(result.rank == rank)
            #expect(zip(result.singularValues, values).allSatisfy { abs($0 - $1) < 1e-9 })
            let rest = values.dropFirst(rank).reduce(0) { $0 + $1 * $1 }
            #expect(abs(squaredDistance(product(result.left, result.right), matrix) - rest) < 1e-9)
            for index in 0..<rank {
                let row = Array(result.right.row(index))
                #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-9)
                #expect((row.max { abs($0) < abs($1) } ?? 0) > 0)
            }
        }
    }

    @Test("are the same by every method, signs included")
    func methodsAgree() throws {
        let matrix = try matrix(33, 20, singularValues: Self.values)
        let expected = try factors(.svd, of: matrix, .rank(5))
        for method in [Method.gram, .randomized] {
            let other = try factors(method, of: matrix, .rank(5))
            // Vectors are as exact as the residual, 1e-6 · 12, over the gap between singular values, 1.
            #expect(largestDifference(other.right, expected.right) < 2e-5)
            #expect(largestDifference(other.left, expected.left) < 2e-4)
        }
    }

    @Test("are of the rank that a threshold or a share of the energy asks for", arguments: Method.allCases)
    func choices(method: Method) throws {
        let matrix = try matrix(40, 21, singularValues: Self.values)
        #expect(try factors(method, of: matrix, .sigmaAbove(8.5)).rank == 4)
        #expect(try factors(method, of: matrix, .sigmaAbove(0.5)).rank == 12)
        let energy = Self.values.map { $0 * $0 }.reduce(0, +)
        let fourth = Self.values.prefix(4).map { $0 * $0 }.reduce(0, +) / energy
        #expect(try factors(method, of: matrix, .energy(fourth - 1e-6)).rank == 4)
        #expect(try factors(method, of: matrix, .energy(fourth + 1e-6)).rank == 5)
        #expect(try factors(method, of: matrix, .energy(1e-9)).rank == 1)
        #expect(throws: FactorizationError.self) { try factors(method, of: matrix, .sigmaAbove(13)) }
    }

    @Test(
        "are refused for ranks of 0 or above the smaller side, and for shares and thresholds that mean nothing",
        arguments: [
            RankChoice.rank(0), .rank(-3), .rank(6), .rank(.max), .sigmaAbove(-1), .sigmaAbove(.nan), .energy(0),
            .energy(1.001), .energy(.nan),
        ])
    func refusals(choice: RankChoice) {
        for method in Method.allCases {
            let error = #expect(throws: FactorizationError.self) {
                try factors(method, of: randomMatrix(5, 9), choice)
            }
            #expect(error?.kind == .usage)
        }
    }

    @Test("of a matrix of zeros: the whole energy is in any rank, and no singular value is above 0")
    func zeros() throws {
        let zeros = DoubleMatrix(rows: 6, columns: 4)
        for method in Method.allCases {
            #expect(throws: FactorizationError.self) { try factors(method, of: zeros, .sigmaAbove(0)) }
            let result = try factors(method, of: zeros, .rank(2))
            #expect(result.singularValues == [0, 0])
            #expect(product(result.left, result.right).elements.allSatisfy { $0 == 0 })
        }
    }

    @Test("by randomised iteration end with an error where it does not converge, naming a way on")
    func noConvergence() throws {
        // The singular values of random numbers lie close together: 2 iterations do not part them.
        let sharded = ShardedMatrix(randomMatrix(200, 150))
        var settings = RandomizedSettings()
        settings.iterations = 2
        let error = #expect(throws: FactorizationError.self) {
            try sharded.randomizedFactors(.rank(10), settings: settings)
        }
        #expect(error?.kind == .computation)
        #expect(error?.description.contains("--method gram") == true)
    }

    @Test("by the Gram matrix say when singular values are lost in its noise")
    func noise() throws {
        let matrix = try matrix(30, 10, singularValues: [1, 1e-3, 1e-12])
        #expect(try factors(.gram, of: matrix, .rank(2)).remark == nil)
        #expect(try factors(.gram, of: matrix, .rank(3)).remark?.contains("1 of the kept") == true)
        #expect(try abs(factors(.svd, of: matrix, .rank(3)).singularValues[2] - 1e-12) < 1e-15)
    }
}
