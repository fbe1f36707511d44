import Testing
import WeightMethods

@Suite("Initialisation")
struct InitializationSchemeTests {
    @Test("Xavier's and He's variances are PyTorch's, of kernels too")
    func deviations() throws {
        for (name, expected) in try Golden.load().deviations {
            let shape = name.split(separator: "x").compactMap { Int($0) }
            // One square root of another rounding.
            #expect(abs(try InitializationScheme.xavier.standardDeviation(shape: shape) - expected.xavier) < 1e-15)
            #expect(abs(try InitializationScheme.he.standardDeviation(shape: shape) - expected.he) < 1e-15)
        }
    }

    @Test("values have the variance", arguments: [InitializationScheme.xavier, .he, .normal(standardDeviation: 0.3)])
    func variance(scheme: InitializationScheme) throws {
        let shape = [300, 200]
        let deviation = try scheme.standardDeviation(shape: shape)
        let values = try fill(scheme, shape, 0..<60_000)
        let mean = values.reduce(0) { $0 + Double($1) } / 60_000
        let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 60_000
        // Four standard errors of 60,000 values: 0.016 of the deviation and 0.023 of the variance.
        #expect(abs(mean) < 0.016 * deviation)
        #expect(abs(variance / (deviation * deviation) - 1) < 0.023)
    }

    @Test("a value depends on seed, tensor and place alone, whoever draws it")
    func places() throws {
        let whole = try fill(.he, [10, 10], 0..<100)
        #expect(try fill(.he, [10, 10], 0..<33) + fill(.he, [10, 10], 33..<100) == whole)
        #expect(try fill(.he, [10, 10], 0..<100, seed: 2) != whole)
        #expect(try fill(.he, [10, 10], 0..<100, tensor: 2) != whole)
    }

    @Test("a vector has no inputs and outputs; a deviation below 0 is none")
    func refusals() {
        for shape in [[], [3], [3, 0]] {
            #expect(throws: WeightMethodError.self) { try InitializationScheme.xavier.standardDeviation(shape: shape) }
            #expect(throws: WeightMethodError.self) { try InitializationScheme.he.standardDeviation(shape: shape) }
        }
        for deviation in [-1, Double.nan, .infinity] {
            #expect(throws: WeightMethodError.self) {
                try InitializationScheme.normal(standardDeviation: deviation).standardDeviation(shape: [3])
            }
        }
    }

    private func fill(
        _ scheme: InitializationScheme, _ shape: [Int], _ range: Range<Int>, seed: UInt64 = 1, tensor: Int = 1
    ) throws -> [Float] {
        var values = [Float](repeating: 0, count: range.count)
        try values.withUnsafeMutableBufferPointer {
            try scheme.fill($0, seed: seed, tensor: tensor, from: range.lowerBound, shape: shape)
        }
        return values
    }
}
