public import LinearAlgebra

/// `M ≈ left · right`.
public struct Factors {
    /// A, [rows, rank]. Of a singular value decomposition: left singular vectors as columns, times their singular values.
    public var left: DoubleMatrix
    /// B, [rank, columns]. Of a singular value decomposition: right singular vectors as rows, the entry of greatest
    /// magnitude of each positive.
    public var right: DoubleMatrix
    /// Those kept, largest first; empty for factors of another kind.
    public var singularValues: [Double]
    /// The largest that was left out, as far as it was computed.
    public var nextSingularValue: Double?
    /// What the user should know about the accuracy.
    public var remark: String?

    public init(
        left: DoubleMatrix, right: DoubleMatrix, singularValues: [Double], nextSingularValue: Double? = nil,
        remark: String? = nil
    ) {
        precondition(left.columns == right.rows)
        self.left = left
        self.right = right
        self.singularValues = singularValues
        self.nextSingularValue = nextSingularValue
        self.remark = remark
    }

    public var rank: Int { left.columns }

    /// The factors of Mᵀ, from those of M.
    func transposed() -> Factors {
        // left · right = U·σ·V: the transposed product has Vᵀ·σ on its left.
        let newLeft = right.transposed()
        let newRight = left.transposed()
        for (index, value) in singularValues.enumerated() {
            for row in 0..<newLeft.rows { newLeft[row, index] *= value }
            for column in 0..<newRight.columns { newRight[index, column] /= value > 0 ? value : 1 }
        }
        var result = Factors(
            left: newLeft, right: newRight, singularValues: singularValues, nextSingularValue: nextSingularValue,
            remark: remark)
        result.fixSigns()
        return result
    }

    /// Makes the entry of greatest magnitude of each row of `right` positive, the first of several.
    mutating func fixSigns() {
        for index in 0..<rank {
            let row = right.row(index)
            var largest = 0.0
            for value in row where abs(value) > abs(largest) { largest = value }
            guard largest < 0 else { continue }
            for column in row.indices { row[column] = -row[column] }
            for r in 0..<left.rows { left[r, index] = -left[r, index] }
        }
    }
}
