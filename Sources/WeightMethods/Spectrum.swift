public import LinearAlgebra

#if canImport(Glibc)
    import Glibc
#endif

/// What a matrix's singular values and rows are like.
public struct Spectrum: Codable, Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    public let frobeniusNorm: Double
    /// σ_max.
    public let spectralNorm: Double
    /// exp of the entropy of σ/Σσ (Roy and Vetterli 2007).
    public let effectiveRank: Double
    /// ‖W‖²_F/σ²_max.
    public let stableRank: Double
    /// The fewest singular values that hold 90 % of Σσ².
    public let rank90: Int
    /// The fewest singular values that hold 99 % of Σσ².
    public let rank99: Int
    public let smallestRowNorm: Double
    public let meanRowNorm: Double
    public let largestRowNorm: Double
    /// φ½: the share of the rows with a norm above ½.
    public let shareOfLongRows: Double
    /// Rows of zeros, which have no direction and are not counted in the overlaps.
    public let zeroRows: Int
    /// The mean square of the cosines of all pairs of different rows; nil of fewer than two rows.
    public let meanSquaredOverlap: Double?
    /// Welch's bound, which no mean square is below: (ν − m)/(m·(ν − 1)) for ν rows of m columns, 0 for ν ≤ m.
    public let welchBound: Double?

    /// - Throws: ``WeightMethodError`` for a matrix that is empty, or holds a number that is not finite.
    public init(of matrix: MatrixView) throws(WeightMethodError) {
        guard matrix.rows > 0, matrix.columns > 0 else {
            throw .badSetting("a matrix of \(matrix.rows) × \(matrix.columns) has no spectrum")
        }
        try matrix.requireFinite()
        rows = matrix.rows
        columns = matrix.columns
        let squares: [Double]
        do {
            squares = try SymmetricMatrix(gramOf: matrix).eigenvalues().map { max($0, 0) }
        } catch {
            throw .notConverged("\(error)")
        }
        let energy = squares.reduce(0, +)
        frobeniusNorm = energy.squareRoot()
        spectralNorm = squares[0].squareRoot()
        stableRank = squares[0] > 0 ? energy / squares[0] : 0
        let values = squares.map { $0.squareRoot() }
        let sum = values.reduce(0, +)
        let entropy = values.reduce(0) { $0 - ($1 > 0 ? $1 / sum * log($1 / sum) : 0) }
        effectiveRank = sum > 0 ? exp(entropy) : 0
        rank90 = Self.rank(keeping: 0.9, of: squares, energy: energy)
        rank99 = Self.rank(keeping: 0.99, of: squares, energy: energy)

        let geometry: RowGeometry
        do {
            geometry = try RowGeometry(of: matrix)
        } catch {
            throw .notConverged("\(error)")
        }
        smallestRowNorm = geometry.smallestNorm
        meanRowNorm = geometry.meanNorm
        largestRowNorm = geometry.largestNorm
        shareOfLongRows = geometry.longShare
        zeroRows = rows - geometry.directions
        meanSquaredOverlap = geometry.meanSquareOverlap
        welchBound = geometry.welchBound
    }

    private static func rank(keeping share: Double, of squares: [Double], energy: Double) -> Int {
        guard energy > 0 else { return 0 }
        var kept = 0.0
        for (index, square) in squares.enumerated() {
            kept += square
            if kept >= share * energy { return index + 1 }
        }
        return squares.count
    }
}
