public import LinearAlgebra
import Randomness

/// The largest eigenvalue of a symmetric operator without negative eigenvalues.
public struct PowerIteration: Sendable {
    /// The Rayleigh quotient of the last vector: from below, the largest eigenvalue.
    public let value: Double
    /// ‖A·v − value·v‖ for the unit vector v: an eigenvalue lies no farther from `value` than this.
    public let residual: Double
    /// Applications of the operator.
    public let iterations: Int

    /// Starts from a vector that is a function of the order alone, so that every process and every run find the same bits.
    ///
    /// Two close largest eigenvalues slow the vector down, but not the quotient, which lies between them; `residual` tells how
    /// far it can be trusted.
    ///
    /// - Parameters:
    ///   - order: the dimension of the space.
    ///   - limit: of the iterations.
    ///   - tolerance: the iteration ends when `residual` is at most this part of `value`.
    ///   - apply: `result = A · vector`; of a sum over rows that lie on several processes, with the reduction.
    public init<Failure: Error>(
        order: Int, limit: Int, tolerance: Double = 1e-9,
        apply: (_ vector: [Double], _ result: inout [Double]) throws(Failure) -> Void
    ) throws(Failure) {
        let normal = NormalSource(seed: 0)
        var vector = (0..<order).map { normal.value(tensor: 0, index: $0) }
        var result = [Double](repeating: 0, count: order)
        var (value, residual, iterations) = (0.0, 0.0, 0)
        while iterations < limit {
            let norm = Self.norm(vector)
            guard norm > 0 else { break }
            for index in 0..<order { vector[index] /= norm }
            try apply(vector, &result)
            iterations += 1
            value = zip(vector, result).reduce(0) { $0 + $1.0 * $1.1 }
            residual = Self.norm(zip(vector, result).map { $1 - value * $0 })
            if residual <= tolerance * value { break }
            swap(&vector, &result)
        }
        self.value = value
        self.residual = residual
        self.iterations = iterations
    }

    /// Whether an eigenvalue lies within `tolerance` · `value` of `value`.
    public func isConverged(tolerance: Double = 1e-9) -> Bool { residual <= tolerance * value }

    private static func norm(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}

/// The spectral norm σ_max, as PyTorch's `torch.linalg.matrix_norm(W, 2)`: by power iteration on the Gram matrix in double
/// precision, and by LAPACK where close singular values keep that from converging. Either way to nine digits.
///
/// - Throws: ``WeightMethodError``
public func spectralNorm(of matrix: MatrixView) throws(WeightMethodError) -> Double {
    try matrix.requireFinite()
    let gram = SymmetricMatrix(gramOf: matrix)
    // More iterations than this cost more than LAPACK.
    let iteration = PowerIteration(order: gram.order, limit: 50 + gram.order / 8) { gram.multiply($0, into: &$1) }
    if iteration.isConverged() { return iteration.value.squareRoot() }
    do {
        return try max(gram.largestEigenvalue(), 0).squareRoot()
    } catch {
        throw .notConverged("\(error)")
    }
}

/// Spectral normalisation: W/σ_max(W). A matrix of zeros stays.
///
/// - Returns: σ_max before.
/// - Throws: ``WeightMethodError``; nothing is changed then.
@discardableResult
public func normalizeSpectrum(_ weights: MutableMatrixView) throws(WeightMethodError) -> Double {
    let norm = try spectralNorm(of: weights.view)
    guard norm > 0 else { return 0 }
    for row in 0..<weights.rows {
        let values = weights.row(row)
        for column in 0..<values.count { values[column] = Float(Double(values[column]) / norm) }
    }
    return norm
}
