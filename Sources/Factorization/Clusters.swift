public import LinearAlgebra

/// `M ≈ A · P · Q`: rows gathered in k clusters, columns in l, and how the clusters match.
public struct ClusteredFactors {
    /// A, [rows, k], orthonormal columns: how much each row belongs to each cluster.
    public let rowClusters: DoubleMatrix
    /// P, [k, l].
    public let matching: DoubleMatrix
    /// Q, [l, columns], orthonormal rows.
    public let columnClusters: DoubleMatrix

    /// From the leading singular triplets, so that `A · P · Q` is the best approximation of rank min(k, l).
    ///
    /// A spans the first k left singular vectors and Q the first l right ones; within these spaces both are turned, by
    /// varimax (Kaiser 1958), so that each row and column belongs to few clusters. P is what the turns make of diag(σ).
    ///
    /// - Parameter factors: of a singular value decomposition, of rank max(rows, columns) of the clusters at least.
    public init(_ factors: Factors, rowCount k: Int, columnCount l: Int) throws {
        let singularValues = factors.singularValues
        precondition(max(k, l) <= singularValues.count)
        let left = DoubleMatrix(rows: factors.left.rows, columns: k)
        for row in 0..<left.rows {
            for index in 0..<k where singularValues[index] > 0 {
                left[row, index] = factors.left[row, index] / singularValues[index]
            }
        }
        let right = firstRows(l, of: factors.right).transposed()
        let (leftTurn, rightTurn) = (try varimaxTurn(of: left), try varimaxTurn(of: right))
        // P = Rᵀ · diag(σ) · S
        let scaled = DoubleMatrix(rows: k, columns: l)
        for index in 0..<min(k, l) {
            for column in 0..<l { scaled[index, column] = singularValues[index] * rightTurn[index, column] }
        }
        let matching = DoubleMatrix(rows: k, columns: l)
        multiply(leftTurn.view, .transposed, scaled.view, into: matching.view)
        self.matching = matching
        rowClusters = DoubleMatrix(rows: left.rows, columns: k)
        multiply(left.view, .none, leftTurn.view, into: rowClusters.view)
        columnClusters = DoubleMatrix(rows: l, columns: right.rows)
        multiply(rightTurn.view, .transposed, right.view, .transposed, into: columnClusters.view)
    }

    /// A · P, [rows, l].
    public var matchedRows: DoubleMatrix {
        let result = DoubleMatrix(rows: rowClusters.rows, columns: matching.columns)
        multiply(rowClusters.view, .none, matching.view, into: result.view)
        return result
    }

    /// The cluster that each row belongs to most.
    public var clusterOfRow: [Int] { (0..<rowClusters.rows).map { largest(in: rowClusters.row($0)) } }

    /// The cluster that each column belongs to most.
    public var clusterOfColumn: [Int] {
        let columns = columnClusters.transposed()
        return (0..<columns.rows).map { largest(in: columns.row($0)) }
    }

    private func largest(in values: UnsafeMutableBufferPointer<Double>) -> Int {
        var best = 0
        for index in values.indices where abs(values[index]) > abs(values[best]) { best = index }
        return best
    }
}

/// The rotation R, [k, k], that makes the sum of the variances of the squared entries of `loadings · R` a maximum: Kaiser's
/// varimax, by singular value decompositions. Signs are such that each column's entry of greatest magnitude is positive.
func varimaxTurn(of loadings: DoubleMatrix) throws(LinearAlgebraError) -> DoubleMatrix {
    let (count, k) = (loadings.rows, loadings.columns)
    var turn = DoubleMatrix(rows: k, columns: k)
    for index in 0..<k { turn[index, index] = 1 }
    let turned = DoubleMatrix(rows: count, columns: k)
    multiply(loadings.view, .none, turn.view, into: turned.view)
    var before = 0.0
    let target = DoubleMatrix(rows: count, columns: k)
    let gradient = DoubleMatrix(rows: k, columns: k)
    for _ in 0..<(k > 1 ? 200 : 0) {
        var means = [Double](repeating: 0, count: k)
        for row in 0..<count { for c in 0..<k { means[c] += turned[row, c] * turned[row, c] / Double(count) } }
        for row in 0..<count {
            for c in 0..<k {
                let value = turned[row, c]
                target[row, c] = value * value * value - value * means[c]
            }
        }
        multiply(loadings.view, .transposed, target.view, into: gradient.view)
        let parts = try singularValueDecomposition(of: gradient)
        turn = DoubleMatrix(rows: k, columns: k)
        multiply(parts.leftVectors.view, .none, parts.rightVectors.view, into: turn.view)
        multiply(loadings.view, .none, turn.view, into: turned.view)
        let criterion = parts.singularValues.reduce(0, +)
        guard criterion > before * (1 + 1e-12) else { break }
        before = criterion
    }
    for c in 0..<k {
        var largest = 0.0
        for row in 0..<count where abs(turned[row, c]) > abs(largest) { largest = turned[row, c] }
        if largest < 0 { for row in 0..<k { turn[row, c] = -turn[row, c] } }
    }
    return turn
}
