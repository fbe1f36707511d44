import Foundation
import Testing

@testable import Randomness

@Suite("normally distributed values")
struct NormalSourceTests {
    @Test("values are those of the documented formula (Fixtures/goldens.py)")
    func golden() {
        let source = NormalSource(seed: 42)
        let expected = [
            -0.9616389663980646, 1.4548959521456861, 1.7513236975182462, 0.5585646503288495, 0.7127776621586517,
            0.23555615278501,
        ]
        for (index, value) in expected.enumerated() {
            // The script uses the C library's logarithm, sine and cosine: a few units in the last place.
            #expect(abs(source.value(tensor: 3, index: index) - value) < 2e-15)
        }
    }

    @Test("a filled buffer holds the values of its indices, wherever it starts and ends")
    func fill() {
        let source = NormalSource(seed: 7)
        for start in 0..<5 {
            for count in 0..<7 {
                let values = source.values(tensor: 1, from: start, count: count, mean: 2, standardDeviation: 0.5)
                #expect(values == (start..<start + count).map { Float(2 + 0.5 * source.value(tensor: 1, index: $0)) })
            }
        }
    }

    @Test("tensors, seeds, purposes and elements 2^34 apart have values of their own")
    func distinct() {
        let values = [
            NormalSource(seed: 1).value(tensor: 0, index: 0), NormalSource(seed: 2).value(tensor: 0, index: 0),
            NormalSource(seed: 1).value(tensor: 1, index: 0), NormalSource(seed: 1).value(tensor: 0, index: 1),
            NormalSource(seed: 1).value(tensor: 0, index: 1 << 34),
            NormalSource(seed: 1, purpose: .dropout).value(tensor: 0, index: 0),
        ]
        #expect(Set(values).count == values.count)
    }

    @Test("mean, variance, skewness, kurtosis and tails are those of the normal distribution")
    func moments() {
        let count = 200_000
        let source = NormalSource(seed: 0)
        let values = (0..<count).map { source.value(tensor: 0, index: $0) }
        let moment = { (power: Int) in
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / Double(count)
        }
        // Each bound is 5 standard errors: √(var(xᵏ)/n) with var 1, 2, 15 and 96.
        #expect(abs(moment(1)) < 5 * (1 / Double(count)).squareRoot())
        #expect(abs(moment(2) - 1) < 5 * (2 / Double(count)).squareRoot())
        #expect(abs(moment(3)) < 5 * (15 / Double(count)).squareRoot())
        #expect(abs(moment(4) - 3) < 5 * (96 / Double(count)).squareRoot())
        for (bound, probability) in [(1.0, 0.317310508), (2.0, 0.045500264), (3.0, 0.002699796)] {
            let beyond = Double(values.count { abs($0) > bound })
            let expected = probability * Double(count)
            #expect(abs(beyond - expected) < 5 * (expected * (1 - probability)).squareRoot(), "past \(bound)")
        }
    }

    @Test("neighbours are not correlated")
    func correlation() {
        let count = 100_000
        let source = NormalSource(seed: 3)
        let values = (0..<count + 4).map { source.value(tensor: 0, index: $0) }
        for lag in 1...4 {
            let sum = (0..<count).reduce(0) { $0 + values[$1] * values[$1 + lag] }
            #expect(abs(sum) < 5 * Double(count).squareRoot(), "lag \(lag)")
        }
    }

    @Test("the logarithm is that of the C library to within two units in the last place")
    func logarithm() {
        let stream = RandomStream(seed: 0, purpose: .initialization)
        for position in 0..<10_000 {
            let word = Double(stream.word(position)) + 1
            for x in [word / 0x1p32, word, 1 / word] {
                #expect(abs(naturalLogarithm(of: x) - log(x)) <= 2 * log(x).ulp)
            }
        }
        #expect(naturalLogarithm(of: 1) == 0)
        #expect(naturalLogarithm(of: 0x1p-32) == log(0x1p-32))
    }

    @Test("cosine and sine are those of the C library to within 2⁻⁵², and exact at the quarters")
    func circle() {
        let stream = RandomStream(seed: 1, purpose: .initialization)
        let eighths = (0..<8).flatMap { eighth in [-1, 0, 1].map { UInt32(truncatingIfNeeded: eighth << 29 + $0) } }
        for turns in eighths + (0..<10_000).map(stream.word) {
            let (cosine, sine) = cosineAndSine(ofTurns: turns)
            let angle = Double(Int32(bitPattern: turns)) * (Double.pi / 0x1p31)
            // The reference's angle, up to π, is itself rounded by up to 2⁻⁵².
            #expect(abs(cosine - cos(angle)) < 0x1p-51)
            #expect(abs(sine - sin(angle)) < 0x1p-51)
        }
        for (turns, expected) in [(0, (1.0, 0.0)), (1, (0.0, 1.0)), (2, (-1.0, 0.0)), (3, (0.0, -1.0))] {
            #expect(cosineAndSine(ofTurns: UInt32(turns) << 30) == expected)
        }
    }
}
