import Factorization
import LinearAlgebra
import Randomness

/// Normally distributed numbers.
func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> DoubleMatrix {
    let source = NormalSource(seed: seed)
    return DoubleMatrix(
        rows: rows, columns: columns,
        elements: (0..<rows * columns).map { source.value(tensor: rows, index: $0) })
}

/// A matrix of known singular values in random directions.
func matrix(_ rows: Int, _ columns: Int, singularValues: [Double], seed: UInt64 = 1) throws -> DoubleMatrix {
    let count = singularValues.count
    let left = try orthonormalBasis(of: randomMatrix(rows, count, seed: seed))
    let right = try orthonormalBasis(of: randomMatrix(columns, count, seed: seed + 1))
    for row in 0..<rows { for index in 0..<count { left[row, index] *= singularValues[index] } }
    return product(left, right.transposed())
}

/// The product by its definition.
func product(_ left: DoubleMatrix, _ right: DoubleMatrix) -> DoubleMatrix {
    let result = DoubleMatrix(rows: left.rows, columns: right.columns)
    for r in 0..<left.rows {
        for c in 0..<right.columns {
            var sum = 0.0
            for i in 0..<left.columns { sum += left[r, i] * right[i, c] }
            result[r, c] = sum
        }
    }
    return result
}

func squaredDistance(_ first: DoubleMatrix, _ second: DoubleMatrix) -> Double {
    zip(first.elements, second.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}

func largestDifference(_ first: DoubleMatrix, _ second: DoubleMatrix) -> Double {
    guard first.rows == second.rows, first.columns == second.columns else { return .infinity }
    return zip(first.elements, second.elements).map { abs($0 - $1) }.max() ?? 0
}

extension ShardedMatrix {
    init(_ matrix: DoubleMatrix) { self.init(matrix, group: SingleProcess()) }
}
