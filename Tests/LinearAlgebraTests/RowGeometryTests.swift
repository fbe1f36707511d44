import LinearAlgebra
import Testing

@Suite("Row geometry")
struct RowGeometryTests {
    /// Numbers of mixed sign and size.
    private func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        var x = 0.3
        return Matrix(
            rows: rows, columns: columns,
            elements: (0..<rows * columns).map { _ in
                x += 0.6180339887498949
                x -= x.rounded(.down)
                return Float(x - 0.5)
            })
    }

    /// All pairs, one by one.
    private func meanSquareOverlap(_ matrix: Matrix) -> Double {
        func product(_ a: Int, _ b: Int) -> Double {
            var sum = 0.0
            for column in 0..<matrix.columns { sum += Double(matrix[a, column]) * Double(matrix[b, column]) }
            return sum
        }
        let squares = (0..<matrix.rows).map { product($0, $0) }
        var (sum, pairs) = (0.0, 0)
        for a in 0..<matrix.rows {
            for b in 0..<a where squares[a] > 0 && squares[b] > 0 {
                sum += product(a, b) * product(a, b) / (squares[a] * squares[b])
                pairs += 1
            }
        }
        return sum / Double(pairs)
    }

    @Test("three vectors at 120° in the plane overlap by ¼, which is Welch's bound")
    func tightFrame() throws {
        let half = Float(3).squareRoot() / 2
        let frame = Matrix(rows: 3, columns: 2, elements: [2, 0, -0.5, half, -1, -2 * half])
        let geometry = try RowGeometry(of: frame.view)
        // The elements are rounded to 2⁻²⁴ of themselves; the bound is exact.
        #expect(abs(try #require(geometry.meanSquareOverlap) - 0.25) < 1e-7)
        #expect(geometry.welchBound == 0.25)
        #expect(geometry.longRows == 3 && geometry.longShare == 1)
        #expect(geometry.smallestNorm.isApproximately(1) && geometry.largestNorm.isApproximately(2))
    }

    @Test("the mean square is that of all pairs, for tall, broad and square matrices, with rows of zeros left out")
    func pairs() throws {
        for (rows, columns) in [(270, 3), (5, 270), (20, 20), (2, 1)] {
            let matrix = matrix(rows, columns)
            if rows > 2 { for column in 0..<columns { matrix[1, column] = 0 } }
            let geometry = try RowGeometry(of: matrix.view)
            let expected = meanSquareOverlap(matrix)
            // Both sum some 10⁵ products in double precision.
            #expect(
                abs(try #require(geometry.meanSquareOverlap) - expected) < 1e-12 * (1 + expected), "\(rows)×\(columns)")
            #expect(geometry.directions == (rows > 2 ? rows - 1 : rows))
            #expect(try #require(geometry.meanSquareOverlap) >= #require(geometry.welchBound) - 1e-12)
        }
    }

    @Test("orthogonal rows do not overlap; lengths are counted, and ½ itself is not long")
    func orthogonal() throws {
        let matrix = Matrix(rows: 3, columns: 3, elements: [0.5, 0, 0, 0, 0.75, 0, 0, 0, 2])
        let geometry = try RowGeometry(of: matrix.view)
        #expect(geometry.meanSquareOverlap == 0 && geometry.welchBound == 0)
        #expect(geometry.longRows == 2 && geometry.smallestNorm == 0.5 && geometry.largestNorm == 2)
    }

    @Test("what has no pairs has no overlap, and what is not finite is refused")
    func degenerate() throws {
        for matrix in [Matrix(rows: 0, columns: 4), Matrix(rows: 5, columns: 0), Matrix(rows: 1, columns: 3)] {
            let geometry = try RowGeometry(of: matrix.view)
            #expect(geometry.meanSquareOverlap == nil && geometry.welchBound == nil && geometry.longShare == 0)
        }
        let bad = Matrix(rows: 2, columns: 2, elements: [1, 2, .nan, 3])
        #expect(throws: LinearAlgebraError.self) { try RowGeometry(of: bad.view) }
    }
}

extension Double {
    /// To the precision of the elements.
    fileprivate func isApproximately(_ other: Double) -> Bool { abs(self - other) < 1e-6 * abs(other) }
}
