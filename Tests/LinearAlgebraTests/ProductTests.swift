import LinearAlgebra
import Testing

/// Repeatable numbers in ±1.
func matrix(_ rows: Int, _ columns: Int, seed: Int = 0) -> Matrix {
    var x = 0.1 + Double(seed) * 0.37
    return Matrix(
        rows: rows, columns: columns,
        elements: (0..<rows * columns).map { _ in
            x += 0.6180339887498949
            x -= x.rounded(.down)
            return Float(2 * x - 1)
        })
}

/// The product by its definition, in double precision.
func slowProduct(_ a: Matrix, _ ta: Bool, _ b: Matrix, _ tb: Bool) -> [[Double]] {
    let (m, k) = ta ? (a.columns, a.rows) : (a.rows, a.columns)
    let n = tb ? b.rows : b.columns
    return (0..<m).map { i in
        (0..<n).map { j in
            (0..<k).reduce(0) { $0 + Double(ta ? a[$1, i] : a[i, $1]) * Double(tb ? b[j, $1] : b[$1, j]) }
        }
    }
}

@Suite("Products")
struct ProductTests {
    @Test("agree with the definition in every orientation", arguments: [false, true], [false, true])
    func orientations(ta: Bool, tb: Bool) {
        let a = ta ? matrix(5, 7) : matrix(7, 5)
        let b = tb ? matrix(4, 5, seed: 1) : matrix(5, 4, seed: 1)
        let c = matrix(7, 4, seed: 2)
        let before = c.elements
        multiply(
            a.view, ta ? .transposed : .none, b.view, tb ? .transposed : .none, scale: 2, keep: 3, into: c.mutableView)
        let expected = slowProduct(a, ta, b, tb)
        for i in 0..<7 {
            for j in 0..<4 {
                // Five products of numbers below 1: a few units of single precision.
                #expect(abs(Double(c[i, j]) - 2 * expected[i][j] - 3 * Double(before[i * 4 + j])) < 1e-5)
            }
        }
    }

    @Test("read and write parts of rows through a stride")
    func strides() {
        let a = matrix(3, 10)
        let left = MatrixView(base: a.view.base + 2, rows: 3, columns: 4, stride: 10)
        let b = matrix(4, 2, seed: 1)
        let c = Matrix(rows: 3, columns: 5)
        multiply(
            left, .none, b.view, .none, into: MutableMatrixView(base: c.pointer + 1, rows: 3, columns: 2, stride: 5))
        let expected = slowProduct(
            Matrix(rows: 3, columns: 4, elements: (0..<12).map { a[$0 / 4, 2 + $0 % 4] }), false, b, false)
        for i in 0..<3 {
            #expect(abs(Double(c[i, 1]) - expected[i][0]) < 1e-6)
            #expect(abs(Double(c[i, 2]) - expected[i][1]) < 1e-6)
            #expect(c[i, 0] == 0 && c[i, 3] == 0 && c[i, 4] == 0)
        }
    }

    @Test("with nothing to add up are zero, and with nothing to write do nothing")
    func emptyProducts() {
        let c = matrix(2, 2)
        multiply(Matrix(rows: 2, columns: 0).view, .none, Matrix(rows: 0, columns: 2).view, .none, into: c.mutableView)
        #expect(c.elements == [0, 0, 0, 0])
        multiply(
            Matrix(rows: 0, columns: 3).view, .none, matrix(3, 2).view, .none,
            into: Matrix(rows: 0, columns: 2).mutableView)
    }
}

@Suite("Decompositions")
struct DecompositionTests {
    @Test("a singular value decomposition gives the matrix back", arguments: [(6, 4), (4, 6), (1, 5), (5, 1), (0, 3)])
    func singularValues(rows: Int, columns: Int) throws {
        let a = matrix(rows, columns)
        let svd = try singularValueDecomposition(of: a.view)
        #expect(svd.singularValues == svd.singularValues.sorted(by: >))
        for i in 0..<rows {
            for j in 0..<columns {
                let sum = svd.singularValues.indices.reduce(0.0) {
                    $0 + Double(svd.leftVectors[i, $1] * svd.singularValues[$1] * svd.rightVectors[$1, j])
                }
                #expect(abs(sum - Double(a[i, j])) < 1e-5)
            }
        }
    }

    @Test("a QR decomposition gives the matrix back from orthonormal columns", arguments: [(6, 4), (4, 6), (3, 3)])
    func qr(rows: Int, columns: Int) throws {
        let a = matrix(rows, columns)
        let (q, r) = try qrDecomposition(of: a.view)
        let product = Matrix(rows: rows, columns: columns)
        multiply(q.view, .none, r.view, .none, into: product.mutableView)
        for (found, expected) in zip(product.elements, a.elements) { #expect(abs(found - expected) < 1e-5) }
        let gram = Matrix(rows: q.columns, columns: q.columns)
        multiply(q.view, .transposed, q.view, .none, into: gram.mutableView)
        for i in 0..<q.columns { for j in 0..<q.columns { #expect(abs(gram[i, j] - (i == j ? 1 : 0)) < 1e-5) } }
    }

    @Test("a number that is not finite is an error, not a wrong answer")
    func notFinite() {
        let a = matrix(3, 3)
        a[1, 2] = .nan
        #expect(throws: LinearAlgebraError.self) { try singularValueDecomposition(of: a.view) }
        a[1, 2] = .infinity
        #expect(throws: LinearAlgebraError.self) { try qrDecomposition(of: a.view) }
    }
}
