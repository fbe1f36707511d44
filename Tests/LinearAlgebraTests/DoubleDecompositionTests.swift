import LinearAlgebra
import Testing

/// A matrix of repeatable numbers in ±1.
private func numbers(_ rows: Int, _ columns: Int, seed: Double = 0.1) -> DoubleMatrix {
    var x = seed
    return DoubleMatrix(
        rows: rows, columns: columns,
        elements: (0..<rows * columns).map { _ in
            x += 0.6180339887498949
            x -= x.rounded(.down)
            return 2 * (x * x * 7).truncatingRemainder(dividingBy: 1) - 1
        })
}

/// The product by its definition.
private func product(_ left: DoubleMatrix, _ right: DoubleMatrix) -> DoubleMatrix {
    let result = DoubleMatrix(rows: left.rows, columns: right.columns)
    for r in 0..<left.rows {
        for c in 0..<right.columns {
            result[r, c] = (0..<left.columns).reduce(0) { $0 + left[r, $1] * right[$1, c] }
        }
    }
    return result
}

private func largestDifference(_ first: DoubleMatrix, _ second: DoubleMatrix) -> Double {
    guard first.rows == second.rows, first.columns == second.columns else { return .infinity }
    return zip(first.elements, second.elements).map { abs($0 - $1) }.max() ?? 0
}

private func identity(_ count: Int) -> DoubleMatrix {
    let result = DoubleMatrix(rows: count, columns: count)
    for index in 0..<count { result[index, index] = 1 }
    return result
}

/// Entries are below 50 and every result is a sum of at most 50 products, so that 1e-12 is some hundred roundings.
private let tolerance = 1e-12

@Suite("Decompositions in double precision")
struct DoubleDecompositionTests {
    static let shapes = [(1, 1), (2, 5), (5, 2), (37, 12), (12, 37), (30, 30)]

    @Test("products of parts are those by definition", arguments: shapes)
    func products(rows: Int, columns: Int) {
        let (a, b) = (numbers(rows, columns), numbers(columns, 4, seed: 0.3))
        let result = DoubleMatrix(rows: rows, columns: 4)
        multiply(a.view, .none, b.view, into: result.view)
        #expect(largestDifference(result, product(a, b)) < tolerance)
        let gram = DoubleMatrix(rows: columns, columns: columns)
        multiply(a.view, .transposed, a.view, into: gram.view)
        #expect(largestDifference(gram, product(a.transposed(), a)) < tolerance)
        let part = DoubleMatrix(rows: 1, columns: 2)
        multiply(a[rows: rows - 1..<rows], .none, b[rows: 0..<columns, columns: 1..<3], into: part.view)
        #expect(abs(part[0, 1] - product(a, b)[rows - 1, 2]) < tolerance)
    }

    @Test("singular triplets: orthonormal, in order, and their product is the matrix", arguments: shapes)
    func singularValues(rows: Int, columns: Int) throws {
        let matrix = numbers(rows, columns)
        let parts = try singularValueDecomposition(of: matrix)
        let k = min(rows, columns)
        #expect(parts.singularValues.count == k)
        #expect(zip(parts.singularValues, parts.singularValues.dropFirst()).allSatisfy { $0 >= $1 })
        let scaled = parts.leftVectors
        #expect(largestDifference(product(scaled.transposed(), scaled), identity(k)) < tolerance)
        #expect(
            largestDifference(product(parts.rightVectors, parts.rightVectors.transposed()), identity(k)) < tolerance)
        for row in 0..<rows { for index in 0..<k { scaled[row, index] *= parts.singularValues[index] } }
        #expect(largestDifference(product(scaled, parts.rightVectors), matrix) < tolerance)
    }

    @Test("eigenvectors of a symmetric matrix, from its upper triangle alone", arguments: [1, 2, 17])
    func eigenvectors(order: Int) throws {
        let half = numbers(order, order)
        let symmetric = product(half.transposed(), half)
        let upper = DoubleMatrix(rows: order, columns: order, elements: symmetric.elements)
        for row in 0..<order { for column in 0..<row { upper[row, column] = 1e3 } }
        let (values, vectors) = try symmetricEigendecomposition(of: upper)
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
        let scaled = vectors.transposed()
        for row in 0..<order { for index in 0..<order { scaled[row, index] *= values[index] } }
        #expect(largestDifference(product(scaled, vectors), symmetric) < tolerance)
    }

    @Test("an orthonormal basis spans the columns", arguments: [(1, 1), (9, 4), (6, 6)])
    func basis(rows: Int, columns: Int) throws {
        let matrix = numbers(rows, columns)
        let basis = try orthonormalBasis(of: matrix)
        #expect(largestDifference(product(basis.transposed(), basis), identity(columns)) < tolerance)
        let projected = product(basis, product(basis.transposed(), matrix))
        #expect(largestDifference(projected, matrix) < tolerance)
    }

    @Test("a number that is not finite is refused before LAPACK sees it", arguments: [Double.nan, .infinity])
    func notFinite(value: Double) {
        let matrix = numbers(4, 4)
        matrix[2, 1] = value
        #expect(throws: LinearAlgebraError.self) { try singularValueDecomposition(of: matrix) }
        #expect(throws: LinearAlgebraError.self) { try symmetricEigendecomposition(of: matrix) }
        #expect(throws: LinearAlgebraError.self) { try orthonormalBasis(of: matrix) }
    }

    @Test("a matrix without elements has no triplets")
    func empty() throws {
        #expect(try singularValueDecomposition(of: DoubleMatrix(rows: 0, columns: 3)).singularValues.isEmpty)
        #expect(try symmetricEigendecomposition(of: DoubleMatrix(rows: 0, columns: 0)).values.isEmpty)
    }
}
