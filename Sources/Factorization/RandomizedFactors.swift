import Diagnostics
import Foundation
import LinearAlgebra
import Randomness

/// How far randomised factors are iterated.
public struct RandomizedSettings: Sendable {
    public var seed: UInt64
    /// Vectors beyond the rank that the iteration carries along: at least so many, and a quarter of the rank.
    public var oversampling = 16
    public var iterations = 30
    /// A triplet has converged when ‖M·v − σ·u‖ is at most this times σ1.
    public var tolerance = 1e-6

    public init(seed: UInt64 = 0) { self.seed = seed }
}

extension ShardedMatrix {
    /// The best factors of a rank by subspace iteration from random vectors (Halko, Martinsson and Tropp 2011, algorithm
    /// 4.4), until the residual of every triplet that is kept is within the tolerance. Quick where the rank is small and
    /// the singular values fall off behind it.
    ///
    /// By Weyl's inequality there is a singular value of M within a triplet's residual of its σ, and the values found are
    /// never above the true ones; so a count of values above a threshold is taken as known only where the residual cannot
    /// change it.
    ///
    /// - Throws: ``FactorizationError`` (`computation`) where the iteration does not converge; `LinearAlgebraError`.
    public func randomizedFactors(
        _ choice: RankChoice, settings: RandomizedSettings, progress: (String) -> Void = { _ in }
    ) throws -> Factors {
        guard rows >= columns else {
            return try transposed().randomizedFactors(choice, settings: settings, progress: progress).transposed()
        }
        try choice.validate(rows: rows, columns: columns)
        let squaredNorm = matrix.sumOfSquares
        let first: Int
        if case .rank(let rank) = choice { first = rank + max(settings.oversampling, rank / 4) } else { first = 64 }
        var width = min(first, columns)
        while true {
            let isComplete = width == columns
            var state = try RandomizedState(self, width: width, seed: settings.seed)
            var problem = ""
            var reaches = false
            for iteration in 1...max(settings.iterations, 1) {
                try state.iterate(self)
                guard let rank = choice.rank(of: state.values, isComplete: isComplete, squaredNorm: squaredNorm) else {
                    // These only grow with the iterations.
                    reaches = false
                    if iteration >= 3 { break }
                    continue
                }
                reaches = true
                guard rank > 0 else {
                    throw FactorizationError(
                        .usage, "no singular value is kept; the largest found is \(state.values.first ?? 0)")
                }
                let worst = state.worstResidual(rank: rank)
                let largest = state.values.first ?? 0
                progress(
                    "iteration \(iteration) of \(settings.iterations) with \(width) vectors: rank \(rank), residual "
                        + String(format: "%.1e", worst.residual / max(largest, .leastNormalMagnitude)) + " · σ1")
                if worst.residual <= settings.tolerance * largest, state.settles(choice, rank: rank) {
                    var result = Factors(
                        left: firstColumns(rank, of: state.image), right: firstRows(rank, of: state.right),
                        singularValues: Array(state.values.prefix(rank)),
                        nextSingularValue: state.values.dropFirst(rank).first)
                    result.fixSigns()
                    return result
                }
                problem =
                    "triplet \(worst.index + 1) of \(rank), σ \(state.values[worst.index]), has a residual of "
                    + String(format: "%.1e, expected at most %.1e", worst.residual, settings.tolerance * largest)
                if state.values.indices.contains(rank) {
                    problem +=
                        String(
                            format: "; the singular values at the cut have a ratio of %.4f",
                            state.values[rank - 1] / max(state.values[rank], .leastNormalMagnitude))
                }
            }
            guard !reaches else {
                throw FactorizationError(
                    .computation,
                    "the randomised iteration has not converged after \(settings.iterations) iterations with \(width) "
                        + "vectors: \(problem); use --method gram or svd, or more --iterations")
            }
            width = min(2 * width, columns)
        }
    }

    private func firstColumns(_ count: Int, of matrix: DoubleMatrix) -> DoubleMatrix {
        let result = DoubleMatrix(rows: matrix.rows, columns: count)
        for row in 0..<matrix.rows {
            (result.pointer + row * count).update(from: matrix.pointer + row * matrix.columns, count: count)
        }
        withExtendedLifetime(matrix) {}
        return result
    }
}

/// A basis Q of the range that is iterated, and the Rayleigh-Ritz triplets in it.
private struct RandomizedState {
    /// Q, [rows, width].
    private var basis: DoubleMatrix
    /// σ, largest first.
    private(set) var values: [Double] = []
    /// V as rows, [width, columns].
    private(set) var right: DoubleMatrix
    /// M·Vᵀ, [rows, width].
    private(set) var image: DoubleMatrix
    /// ‖M·v − σ·u‖ of each triplet.
    private var residuals: [Double] = []

    init(_ matrix: ShardedMatrix, width: Int, seed: UInt64) throws {
        let source = NormalSource(seed: seed)
        let start = DoubleMatrix(rows: matrix.columns, columns: width)
        for index in 0..<start.count { start.pointer[index] = source.value(tensor: 0, index: index) }
        image = try matrix.times(start)
        right = DoubleMatrix(rows: 0, columns: matrix.columns)
        basis = image
    }

    mutating func iterate(_ matrix: ShardedMatrix) throws {
        let image = image
        basis = try matrix.group.once { [try orthonormalBasis(of: image)] }[0]
        // Mᵀ·Q = W·σ·Xᵀ, so that M ≈ Q·X·σ·Wᵀ.
        let projected = try matrix.transposedTimes(basis)
        let parts = try matrix.group.once {
            let small = try singularValueDecomposition(of: projected)
            return [
                small.leftVectors,
                DoubleMatrix(rows: 1, columns: small.singularValues.count, elements: small.singularValues),
                small.rightVectors,
            ]
        }
        values = parts[1].elements
        right = parts[0].transposed()
        self.image = try matrix.times(parts[0])
        let left = DoubleMatrix(rows: matrix.rows, columns: values.count)
        multiply(basis.view, .none, parts[2].view, .transposed, into: left.view)
        var squares = [Double](repeating: 0, count: values.count)
        for row in 0..<left.rows {
            for (index, value) in values.enumerated() {
                let difference = self.image[row, index] - value * left[row, index]
                squares[index] += difference * difference
            }
        }
        residuals = squares.map { $0.squareRoot() }
    }

    /// The largest residual among the first triplets.
    func worstResidual(rank: Int) -> (index: Int, residual: Double) {
        var worst = (index: 0, residual: 0.0)
        for (index, residual) in residuals.prefix(rank).enumerated() where residual > worst.residual {
            worst = (index, residual)
        }
        return worst
    }

    /// Whether the first value that is left out cannot belong to those that are kept.
    func settles(_ choice: RankChoice, rank: Int) -> Bool {
        guard case .sigmaAbove(let threshold) = choice, values.indices.contains(rank) else { return true }
        return values[rank] + residuals[rank] <= threshold
    }
}
