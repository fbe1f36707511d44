import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Products with a few vectors")
struct NarrowProductTests {
    private func expectEqual(_ found: Matrix, _ what: String, _ expected: (Int, Int) -> Double) {
        var worst = 0.0
        for row in 0..<found.rows {
            for column in 0..<found.columns {
                worst = max(worst, abs(Double(found[row, column]) - expected(row, column)))
            }
        }
        #expect(worst < 1e-5 * Double(max(found.rows, found.columns) + 8), "\(what): off by \(worst)")
    }

    @Test(
        "are what sums in double precision give, for any shape", arguments: [1, 2, 3, 4, 5, 12, 13],
        [1, 15, 16, 33, 70])
    func products(rank: Int, width: Int) {
        for count in [1, 3, 4, 9] {
            let (x, vectors) = (matrix(count, width), matrix(rank, width, seed: 1))
            let factors = matrix(count, rank, seed: 2)
            let dots = Matrix(rows: count, columns: rank)
            NarrowProducts.dots(x.view, vectors.view, into: dots.mutableView)
            expectEqual(dots, "dots") { row, column in
                (0..<width).reduce(0) { $0 + Double(x[row, $1]) * Double(vectors[column, $1]) }
            }
            let sums = matrix(count, width, seed: 3)
            let before = sums.elements
            NarrowProducts.addCombinations(factors.view, of: vectors.view, to: sums.mutableView)
            expectEqual(sums, "combinations") { row, column in
                (0..<rank).reduce(Double(before[row * width + column])) {
                    $0 + Double(factors[row, $1]) * Double(vectors[$1, column])
                }
            }
            let weighted = Matrix(rows: rank, columns: width)
            NarrowProducts.weightedSums(factors.view, of: x.view, into: weighted.mutableView)
            expectEqual(weighted, "weighted sums") { row, column in
                (0..<count).reduce(0) { $0 + Double(factors[$1, row]) * Double(x[$1, column]) }
            }
        }
    }

    @Test("give a row the same bits wherever it stands")
    func rowsAlone() {
        let (x, vectors, factors) = (matrix(11, 70), matrix(5, 70, seed: 1), matrix(11, 5, seed: 2))
        let (dots, sums) = (Matrix(rows: 11, columns: 5), Matrix(rows: 11, columns: 70))
        NarrowProducts.dots(x.view, vectors.view, into: dots.mutableView)
        NarrowProducts.addCombinations(factors.view, of: vectors.view, to: sums.mutableView)
        for row in 0..<11 {
            let (dot, sum) = (Matrix(rows: 1, columns: 5), Matrix(rows: 1, columns: 70))
            NarrowProducts.dots(x.view[rows: row..<row + 1], vectors.view, into: dot.mutableView)
            NarrowProducts.addCombinations(factors.view[rows: row..<row + 1], of: vectors.view, to: sum.mutableView)
            #expect(dot.elements == Array(dots.view.row(row)))
            #expect(sum.elements == Array(sums.view.row(row)))
        }
        withExtendedLifetime((x, vectors, factors, dots, sums)) {}
    }
}
