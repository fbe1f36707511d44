import LinearAlgebra
import Testing
import WeightMethods

@Suite("Quantisation")
struct QuantizationTests {
    @Test("is the formula with PyTorch's round, of the whole matrix and of groups", arguments: 1...16)
    func goldens(bits: Int) throws {
        let golden = try Golden.load()
        let expected = try #require(golden.quantized[String(bits)])
        let whole = golden.weights.matrix
        try roundToCodes(whole.mutableView, bits: bits)
        #expect(whole.elements == expected.whole.values)
        let grouped = golden.weights.matrix
        try roundToCodes(grouped.mutableView, bits: bits, group: 3)
        #expect(grouped.elements == expected.grouped.values)
    }

    @Test("rounds half to even")
    func halves() throws {
        let golden = try Golden.load().halves
        // 0, ½, …, 3½ at two bits: the codes are w·6/7.
        let weights = golden.weights.matrix
        try roundToCodes(weights.mutableView, bits: 2)
        #expect(weights.elements == golden.quantized.values)
        let range = QuantizationRange(low: 0, high: 3, bits: 2)
        #expect([0.5, 1.5, 2.5].map { range.code($0) } == [0, 2, 2])
    }

    @Test(
        "moves no weight by more than half a step, keeps the ends, and does nothing the second time", arguments: 1...16)
    func properties(bits: Int) throws {
        for (index, weights) in sampleMatrices(40).enumerated() {
            let group = [nil, 1, 8, 64][index % 4]
            let before = Matrix(rows: weights.rows, columns: weights.columns, elements: weights.elements)
            try roundToCodes(weights.mutableView, bits: bits, group: group)
            for row in 0..<weights.rows {
                for start in stride(from: 0, to: weights.columns, by: group ?? weights.columns) {
                    let columns = start..<min(start + (group ?? weights.columns), weights.columns)
                    let old = columns.map { before[row, $0] }
                    let new = columns.map { weights[row, $0] }
                    let ends = group == nil ? before.elements : old
                    let (low, high) = (ends.min() ?? 0, ends.max() ?? 0)
                    let step = (Double(high) - Double(low)) / Double(1 << bits - 1)
                    for (old, new) in zip(old, new) {
                        // Half a step, and the rounding of the value itself to single precision.
                        #expect(
                            abs(Double(new) - Double(old)) <= step / 2 + Double(max(low.magnitude, high.magnitude).ulp))
                        if old == low || old == high { #expect(new == old) }
                    }
                }
            }
            let once = weights.elements
            #expect(try roundToCodes(weights.mutableView, bits: bits, group: group) == 0)
            #expect(weights.elements == once)
        }
    }

    @Test("a constant matrix comes back as it is", arguments: [1, 8, 16])
    func constant(bits: Int) throws {
        for value: Float in [0, 0.1, -3e38, .leastNonzeroMagnitude] {
            let weights = Matrix(rows: 2, columns: 3, elements: [Float](repeating: value, count: 6))
            #expect(try roundToCodes(weights.mutableView, bits: bits) == 0)
            #expect(weights.elements.allSatisfy { $0 == value })
        }
    }

    @Test("the whole range of single precision has its steps")
    func widest() throws {
        let high = Float.greatestFiniteMagnitude
        let weights = Matrix(rows: 1, columns: 3, elements: [-high, 1, high])
        try roundToCodes(weights.mutableView, bits: 2)
        #expect(weights[0, 0] == -high && weights[0, 2] == high && weights[0, 1].isFinite)
    }

    @Test("codes of any width are packed and found again", arguments: 1...16)
    func packing(bits: Int) throws {
        let columns = 37
        let weights = Matrix(
            rows: 3, columns: columns, elements: (0..<3 * columns).map { Float(($0 * 7_919) % 65_536) / 65_535 })
        let quantized = try QuantizedMatrix(weights.view, bits: bits, group: 16)
        #expect(quantized.codes.count == 3 * ((columns * bits + 7) / 8))
        #expect(quantized.ranges.count == 3 * 3 * 2)
        for row in 0..<3 {
            for column in 0..<columns {
                let place = 2 * (row * 3 + column / 16)
                let range = QuantizationRange(
                    low: quantized.ranges[place], high: quantized.ranges[place + 1], bits: bits)
                #expect(quantized.code(row: row, column: column) == range.code(weights[row, column]))
            }
        }
        let kept = try QuantizedMatrix(
            rows: 3, columns: columns, bits: bits, group: 16, codes: quantized.codes, ranges: quantized.ranges)
        #expect(kept == quantized)
    }

    @Test("rows quantised apart with the whole's range are the whole's rows")
    func parts() throws {
        let weights = sampleMatrices(1)[0]
        let whole = try QuantizedMatrix(weights.view, bits: 5)
        let ends = (whole.ranges[0], whole.ranges[1])
        var codes: [UInt8] = []
        for row in 0..<weights.rows {
            codes += try QuantizedMatrix(weights.view[rows: row..<row + 1], bits: 5, shared: ends).codes
        }
        #expect(codes == whole.codes)
    }

    @Test("bits of 0 and 17, groups of none, parts that do not fit and what is not finite are refused")
    func refusals() {
        let weights = Matrix(rows: 1, columns: 2, elements: [1, 2])
        for bits in [0, 17, -1, Int.max] {
            #expect(throws: WeightMethodError.badSetting("bits are \(bits), expected 1 to 16")) {
                try roundToCodes(weights.mutableView, bits: bits)
            }
        }
        #expect(throws: WeightMethodError.self) { try roundToCodes(weights.mutableView, bits: 8, group: 0) }
        #expect(throws: WeightMethodError.self) {
            try QuantizedMatrix(rows: 1, columns: 2, bits: 8, group: nil, codes: [1], ranges: [0, 1])
        }
        for ranges: [Float] in [[1, 0], [0, .infinity], [.nan, 0], [0]] {
            #expect(throws: WeightMethodError.self) {
                try QuantizedMatrix(rows: 1, columns: 2, bits: 8, group: nil, codes: [1, 2], ranges: ranges)
            }
        }
        #expect(refusesWhatIsNotFinite { try roundToCodes($0, bits: 8) })
        #expect(weights.elements == [1, 2])
    }
}
