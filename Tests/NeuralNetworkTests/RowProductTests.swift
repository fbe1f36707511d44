import CKernels
import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Products of many rows with one matrix", .serialized)
struct RowProductTests {
    /// Rows, inner, columns: around the sizes of tiles, panels and blocks.
    static let shapes = [
        (1, 1, 1), (3, 5, 7), (12, 16, 32), (13, 17, 33), (31, 40, 48), (5, 800, 70), (40, 1600, 16), (970, 20, 40),
        (0, 4, 4),
    ]

    /// - Parameter instructions: a level of `kernel_instructions`; other tests see the same bits on those with fused
    ///   arithmetic, so they may run meanwhile.
    private func product(
        _ input: MatrixView, _ weight: Matrix, isTransposed: Bool, keep: Float, instructions: Int32, threads: Int = 1
    ) -> [Float] {
        kernel_use_instructions(instructions)
        defer { kernel_use_instructions(kernel_best_instructions()) }
        let columns = isTransposed ? weight.rows : weight.columns
        let result = matrix(input.rows, columns, seed: 8)
        RowProducts.multiply(
            input, weight.view, isTransposed ? .transposed : .none, keep: keep, into: result.mutableView,
            threads: threads)
        return result.elements
    }

    /// Those with fused arithmetic that this machine has.
    static let fused = Array(min(1, kernel_best_instructions())...kernel_best_instructions())

    @Test("agree with sums in double precision on every kernel", arguments: shapes)
    func sums(rows: Int, inner: Int, columns: Int) {
        let input = matrix(rows, inner, seed: 1)
        for level in Self.fused {
            for isTransposed in [false, true] {
                let weight = isTransposed ? matrix(columns, inner, seed: 2) : matrix(inner, columns, seed: 2)
                for keep in [Float(0), 1] {
                    let found = product(input.view, weight, isTransposed: isTransposed, keep: keep, instructions: level)
                    let before = matrix(rows, columns, seed: 8)
                    for row in 0..<rows {
                        for column in 0..<columns {
                            var (sum, size) = (Double(keep) * Double(before[row, column]), 1.0)
                            for k in 0..<inner {
                                let term =
                                    Double(input[row, k]) * Double(isTransposed ? weight[column, k] : weight[k, column])
                                sum += term
                                size += abs(term)
                            }
                            // One rounding for each term, each of at most half a unit in the last place of the sum so far.
                            let error = abs(Double(found[row * columns + column]) - sum)
                            #expect(
                                error <= Double(inner + 2) * size * 0x1p-24,
                                "level \(level), row \(row), column \(column)")
                        }
                    }
                }
            }
        }
    }

    @Test("have the same bits for a row wherever it lies, on every kernel with fused arithmetic, and on any threads")
    func sameBits() {
        let (input, weight) = (matrix(1_000, 400, seed: 3), matrix(70, 400, seed: 4))
        let top = kernel_best_instructions()
        let whole = product(input.view, weight, isTransposed: true, keep: 0, instructions: top)
        for rows in [0..<1, 1..<6, 7..<20, 955..<1_000] {
            let part = product(input.view[rows: rows], weight, isTransposed: true, keep: 0, instructions: top)
            #expect(part == Array(whole[rows.lowerBound * 70..<rows.upperBound * 70]), "rows \(rows)")
        }
        for level in Self.fused {
            #expect(
                product(input.view, weight, isTransposed: true, keep: 0, instructions: level) == whole, "level \(level)"
            )
        }
        #expect(product(input.view, weight, isTransposed: true, keep: 0, instructions: top, threads: 3) == whole)
    }
}
