import LinearAlgebra
import NeuralNetwork
import Testing
import WeightMethods

@Suite("Quantised matrices in products")
struct QuantizedRowsTests {
    /// Codes of a matrix, kept alive beside the view of them.
    private final class Codes {
        let quantized: QuantizedMatrix
        let codes: UnsafeMutablePointer<UInt8>
        let ranges: UnsafeMutablePointer<Float>
        private let panel = Matrix()

        init(_ matrix: Matrix, bits: Int, group: Int) throws {
            quantized = try QuantizedMatrix(matrix.view, bits: bits, group: group)
            codes = .allocate(capacity: quantized.codes.count)
            codes.initialize(from: quantized.codes, count: quantized.codes.count)
            ranges = .allocate(capacity: quantized.ranges.count)
            ranges.initialize(from: quantized.ranges, count: quantized.ranges.count)
        }

        deinit {
            codes.deallocate()
            ranges.deallocate()
        }

        var rows: QuantizedRows {
            QuantizedRows(
                codes: codes, ranges: ranges, rows: quantized.rows, columns: quantized.columns, bits: quantized.bits,
                group: quantized.group ?? quantized.columns, panel: panel)
        }

        /// By the definition, one weight at a time.
        var dequantized: Matrix {
            let result = Matrix(rows: quantized.rows, columns: quantized.columns)
            for row in 0..<quantized.rows { quantized.fill(result.mutableView.row(row), fromRow: row) }
            return result
        }
    }

    private func numbers(_ rows: Int, _ columns: Int, seed: Int) -> Matrix {
        Matrix(
            rows: rows, columns: columns,
            elements: (0..<rows * columns).map { Float(($0 * 7_919 + seed * 104_729) % 10_007) / 5_003 - 1 })
    }

    @Test(
        "the kernel gives the values of the definition, for whole groups and the rest of a row",
        arguments: [(8, 64), (8, 10), (4, 64), (4, 10), (4, 200)])
    func values(bits: Int, group: Int) throws {
        let matrix = numbers(5, 147, seed: bits + group)
        for column in 0..<147 { matrix[3, column] = 0.25 }  // constant groups
        let codes = try Codes(matrix, bits: bits, group: group)
        let found = Matrix(rows: 5, columns: 147)
        codes.rows.dequantize(0..<2, into: found.pointer)
        codes.rows.dequantize(2..<5, into: found.pointer + 2 * 147)
        #expect(found.elements == codes.dequantized.elements)
        withExtendedLifetime((codes, found)) {}
    }

    @Test("a layer computes what one with the dequantised weights computes, forwards and backwards", arguments: [8, 4])
    func products(bits: Int) throws {
        // More rows than a panel, and no multiple of one.
        let (inputs, outputs) = (40, 2 * QuantizedRows.panelRows + 19)
        let codes = try Codes(numbers(outputs, inputs, seed: 2), bits: bits, group: 16)
        let plain = codes.dequantized
        let batch = PackedBatch(
            lanes: [[TokenSequence(tokens: [1, 2, 3], types: [0, 0, 0])]], firstLane: 0, firstSlot: 0)
        let (input, outputGradient) = (
            numbers(batch.rowCount, inputs, seed: 3), numbers(batch.rowCount, outputs, seed: 4)
        )
        var results: [[Float]] = []
        for weight in [FrozenMatrix.plain(plain.view), .quantized(codes.rows)] {
            let bias = Matrix(rows: 1, columns: outputs)
            let layer = AdaptedLinear(
                path: "linear", weight: weight, bias: bias.pointer)
            let (output, inputGradient) = (
                Matrix(rows: batch.rowCount, columns: outputs), numbers(batch.rowCount, inputs, seed: 5)
            )
            layer.forward(input.view, into: output.mutableView, batch: batch, pass: .inference)
            let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: ParameterLayout())
            layer.backward(
                outputGradient.view, input: input.view, inputGradient: inputGradient.mutableView, keep: 1, batch: batch,
                pass: .inference, gradients: gradients)
            results.append(output.elements + inputGradient.elements)
            withExtendedLifetime((bias, output, inputGradient, gradients)) {}
        }
        for (found, expected) in zip(results[1], results[0]) {
            // Sums over up to 275 terms below 1, taken in panels.
            #expect(abs(found - expected) < 1e-4)
        }
        withExtendedLifetime((codes, plain, input, outputGradient)) {}
    }
}
