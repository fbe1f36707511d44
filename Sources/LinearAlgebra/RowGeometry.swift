/// How the rows of a matrix lie to each other: which are long enough to stand for something, and how much their directions
/// overlap.
///
/// Overlaps are the products of two different rows at unit length. Liu, Liu and Gore (arXiv 2505.10465) compare their mean
/// square with that of random directions, 1/columns, and with the least that is possible (Welch, *Lower bounds on the
/// maximum cross correlation of signals*, 1974).
public struct RowGeometry: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    /// Rows of a length above ½; of features, those that are represented.
    public let longRows: Int
    /// Euclidean lengths; 0 of a matrix without rows.
    public let smallestNorm, meanNorm, largestNorm: Double
    /// ν: rows that are not zero, which have a direction.
    public let directions: Int
    /// The mean of the squared overlaps of all pairs of different directions; nil of fewer than two.
    public let meanSquareOverlap: Double?

    /// φ½: the share of the rows with a length above ½.
    public var longShare: Double { rows == 0 ? 0 : Double(longRows) / Double(rows) }

    /// κ²: no arrangement of as many directions has a smaller mean square overlap; those that reach it are tight frames.
    public var welchBound: Double? { Self.welchBound(directions: directions, columns: columns) }

    /// (ν − m)/(m·(ν − 1)), or 0 where all directions can be orthogonal; nil for fewer than two directions.
    public static func welchBound(directions: Int, columns: Int) -> Double? {
        guard directions > 1, columns > 0 else { return nil }
        return Double(max(directions - columns, 0)) / (Double(columns) * Double(directions - 1))
    }

    /// Computed in double precision, in time O(ν·m·min(ν, m)) and memory O(min(ν, m)²): the sum of the squared overlaps of
    /// all pairs of rows of X, each with itself too, is ‖XᵀX‖²_F = ‖XXᵀ‖²_F.
    ///
    /// - Throws: ``LinearAlgebraError`` if an element is not finite.
    public init(of matrix: MatrixView) throws(LinearAlgebraError) {
        rows = matrix.rows
        columns = matrix.columns
        var norms = [Double](repeating: 0, count: matrix.rows)
        for row in 0..<matrix.rows {
            let start = matrix.rowStart(row)
            var sum = 0.0
            for column in 0..<matrix.columns { sum += Double(start[column]) * Double(start[column]) }
            norms[row] = sum.squareRoot()
            guard norms[row].isFinite else {
                throw LinearAlgebraError(
                    routine: "dsyrk", info: 0, rows: matrix.rows, columns: matrix.columns, isNotFinite: true)
            }
        }
        longRows = norms.count { $0 > 0.5 }
        smallestNorm = norms.min() ?? 0
        largestNorm = norms.max() ?? 0
        meanNorm = norms.reduce(0, +) / Double(max(norms.count, 1))
        let directed = norms.count { $0 > 0 }
        directions = directed
        guard directed > 1 else {
            meanSquareOverlap = nil
            return
        }
        let count = Double(directed)
        let square = SymmetricMatrix(gramOf: matrix, rowFactors: norms.map { $0 > 0 ? 1 / $0 : 0 }).sumOfSquares
        // Rounding may leave less than nothing of orthogonal rows.
        meanSquareOverlap = max(0, (square - count) / (count * (count - 1)))
    }
}
