import Diagnostics
import LinearAlgebra

extension ShardedMatrix {
    /// The best factors of a rank (Eckart and Young 1936), by the singular value decomposition of the whole matrix on one
    /// process: LAPACK's `dgesdd`.
    ///
    /// - Throws: ``FactorizationError``, `LinearAlgebraError`.
    public func singularFactors(_ choice: RankChoice) throws -> Factors {
        try choice.validate(rows: rows, columns: columns)
        let parts = try group.once {
            let whole = try singularValueDecomposition(of: matrix)
            let rank = try keptRank(choice, of: whole.singularValues)
            let left = DoubleMatrix(rows: rows, columns: rank)
            for row in 0..<rows {
                for index in 0..<rank { left[row, index] = whole.leftVectors[row, index] * whole.singularValues[index] }
            }
            return [values(whole.singularValues), left, firstRows(rank, of: whole.rightVectors)]
        }
        return factors(values: parts[0].elements, left: parts[1], right: parts[2])
    }

    /// The same from the eigenvectors of the smaller Gram matrix, which is one sum over the shards of rows: LAPACK's
    /// `dsyevd`. Twice as quick, and its products use all processes; but singular values below about √ε·σ1 are noise.
    ///
    /// - Parameter progress: is told what is going on.
    /// - Throws: ``FactorizationError``, `LinearAlgebraError`.
    public func gramFactors(_ choice: RankChoice, progress: (String) -> Void = { _ in }) throws -> Factors {
        guard rows >= columns else { return try transposed().gramFactors(choice, progress: progress).transposed() }
        try choice.validate(rows: rows, columns: columns)
        var told = 0.0
        let gram = try gram { share in
            guard share - told >= 0.25 || share == 1 else { return }
            told = share
            progress("Gram matrix \(columns) × \(columns): \(Int(share * 100)) %")
        }
        progress("eigenvectors of the Gram matrix (LAPACK dsyevd, one process)")
        let parts = try group.once {
            let whole = try symmetricEigendecomposition(of: gram)
            let singularValues = whole.values.reversed().map { max($0, 0).squareRoot() }
            let rank = try keptRank(choice, of: singularValues)
            let right = DoubleMatrix(rows: rank, columns: columns)
            for index in 0..<rank {
                _ = right.row(index).update(fromContentsOf: whole.vectors.row(columns - 1 - index))
            }
            withExtendedLifetime(whole) {}
            return [values(singularValues), right]
        }
        var result = factors(
            values: parts[0].elements, left: try times(parts[1].transposed()), right: parts[1])
        let floor = (Double(columns) * Double.ulpOfOne).squareRoot() * (result.singularValues.first ?? 0)
        if let last = result.singularValues.last, last < floor {
            let noise = result.singularValues.count { $0 < floor }
            result.remark =
                "\(noise) of the kept singular values are below \(floor), where a Gram matrix holds noise; "
                + "--method svd computes them to full accuracy"
        }
        return result
    }

    /// How many of all singular values are kept.
    ///
    /// - Throws: ``FactorizationError`` if none is.
    private func keptRank(_ choice: RankChoice, of all: [Double]) throws(FactorizationError) -> Int {
        guard let rank = choice.rank(of: all, isComplete: true, squaredNorm: matrix.sumOfSquares), rank > 0 else {
            throw FactorizationError(
                .usage, "no singular value is kept; the largest of the \(rows) × \(columns) matrix is \(all.first ?? 0)"
            )
        }
        return rank
    }

    private func factors(values: [Double], left: DoubleMatrix, right: DoubleMatrix) -> Factors {
        let rank = left.columns
        var result = Factors(
            left: left, right: right, singularValues: Array(values.prefix(rank)),
            nextSingularValue: values.dropFirst(rank).first)
        result.fixSigns()
        return result
    }

    private func values(_ list: [Double]) -> DoubleMatrix { DoubleMatrix(rows: 1, columns: list.count, elements: list) }
}

/// A copy of the first rows of a matrix.
func firstRows(_ count: Int, of matrix: DoubleMatrix) -> DoubleMatrix {
    let result = DoubleMatrix(rows: count, columns: matrix.columns)
    result.pointer.update(from: matrix.pointer, count: count * matrix.columns)
    withExtendedLifetime(matrix) {}
    return result
}
