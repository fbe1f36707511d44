import Foundation
import Models
import Randomness
import Testing

@Suite("Sparse features")
struct SparseFeaturesTests {
    /// One feature after the other: the place of the next active one by the definition, without tables.
    private func slow(_ index: Int, _ split: SparseFeatures.Split, _ probabilities: [Double], seed: UInt64) -> [(
        feature: Int, value: Float
    )] {
        let stream = RandomStream(seed: seed, purpose: .samples, sample: index, layer: split.rawValue)
        var active: [(feature: Int, value: Float)] = []
        var next = 0
        while next < probabilities.count {
            let block = stream.block(UInt32(active.count))
            let u = (Double((UInt64(block.y) << 32 | UInt64(block.x)) >> 12) + 0.5) / 0x1p52
            var none = 1.0
            guard
                let feature = (next..<probabilities.count).first(where: {
                    none *= 1 - probabilities[$0]
                    return none <= u
                })
            else { break }
            active.append((feature, (Float(block.z >> 9) + 0.5) / 0x1p22))
            next = feature + 1
        }
        return active
    }

    @Test("a sample is that of the definition, one feature after the other", arguments: [0, 0.5, 1, 2.5])
    func oracle(exponent: Double) {
        let features = SparseFeatures(count: 50, exponent: exponent, seed: 7)
        for split in [SparseFeatures.Split.training, .evaluation] {
            for index in 0..<300 {
                let found = features.activeFeatures(ofSample: index, of: split)
                let expected = slow(index, split, features.probabilities, seed: 7)
                #expect(found.map(\.feature) == expected.map(\.feature) && found.map(\.value) == expected.map(\.value))
            }
        }
    }

    @Test("features are active as often as they should be, independently, with values from U(0, 2)")
    func frequencies() {
        let features = SparseFeatures(count: 6, exponent: 1, seed: 1)
        let count = 20_000
        var (active, both, sum, squares, values) = ([Int](repeating: 0, count: 6), 0, 0.0, 0.0, 0)
        for index in 0..<count {
            let sample = features.activeFeatures(ofSample: index, of: .training)
            for (feature, value) in sample {
                active[feature] += 1
                sum += Double(value)
                squares += Double(value) * Double(value)
                values += 1
            }
            if sample.count > 1, sample[0].feature == 0, sample[1].feature == 1 { both += 1 }
        }
        let p = features.probabilities
        let (total, ratio) = (p.reduce(0, +), p[0] / p[3])
        #expect(abs(total - 1) < 1e-12 && abs(ratio - 4) < 1e-12)
        // Five standard deviations of a binomial distribution.
        func isNear(_ found: Int, _ p: Double) -> Bool {
            let deviation = (p * (1 - p) * Double(count)).squareRoot()
            return abs(Double(found) - p * Double(count)) < 5 * deviation
        }
        for (feature, found) in active.enumerated() { #expect(isNear(found, p[feature]), "feature \(feature)") }
        #expect(isNear(both, p[0] * p[1]))
        let (mean, square) = (sum / Double(values), squares / Double(values))
        // Five standard errors of the mean of U(0, 2), whose variance is 1/3, and of its square's, 64/45.
        let (meanError, squareError) = (
            (1.0 / 3 / Double(values)).squareRoot(), (64.0 / 45 / Double(values)).squareRoot()
        )
        #expect(abs(mean - 1) < 5 * meanError)
        #expect(abs(square - 4.0 / 3) < 5 * squareError)
    }

    @Test("a sample depends on seed, split and index; one feature alone is always active")
    func places() {
        let features = SparseFeatures(count: 100, exponent: 0, seed: 3)
        func all(_ features: SparseFeatures, _ split: SparseFeatures.Split, from start: Int) -> [[Int]] {
            (start..<start + 50).map { features.activeFeatures(ofSample: $0, of: split).map(\.feature) }
        }
        let training = all(features, .training, from: 0)
        #expect(training == all(SparseFeatures(count: 100, exponent: 0, seed: 3), .training, from: 0))
        #expect(training != all(features, .evaluation, from: 0))
        #expect(training != all(features, .training, from: 50))
        #expect(training != all(features, .training, from: 1 << 32), "indices past 32 bits are others")
        #expect(training != all(SparseFeatures(count: 100, exponent: 0, seed: 4), .training, from: 0))
        let one = SparseFeatures(count: 1, exponent: 1, seed: 0)
        #expect((0..<20).allSatisfy { one.activeFeatures(ofSample: $0, of: .training).map(\.feature) == [0] })
    }

    @Test("the loss of features that are not represented is the sum of their variances")
    func variances() {
        let features = SparseFeatures(count: 4, exponent: 0, seed: 0)
        let expected: Double = 2 * (1.0 / 3 - 1.0 / 16)
        #expect(abs(features.loss(ofFeaturesFrom: 2) - expected) < 1e-15)
        #expect(features.loss(ofFeaturesFrom: 4) == 0 && features.loss(ofFeaturesFrom: 9) == 0)
    }
}
