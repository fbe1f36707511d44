import Randomness
import Testing

@Suite("shuffles")
struct SampleOrderTests {
    @Test("permutations are those of the documented method (Fixtures/goldens.py)")
    func golden() {
        #expect(permutation(count: 10, seed: 0, epoch: 0) == [6, 5, 8, 0, 3, 9, 4, 2, 7, 1])
        #expect(permutation(count: 10, seed: 0, epoch: 1) == [1, 8, 3, 6, 4, 2, 7, 0, 9, 5])
        #expect(permutation(count: 7, seed: 1 << 63 + 5, epoch: 3) == [0, 3, 1, 6, 5, 4, 2])
    }

    @Test("every index comes exactly once", arguments: [0, 1, 2, 3, 100, 10_007])
    func complete(count: Int) {
        #expect(permutation(count: count, seed: 9, epoch: 4).sorted() == Array(0..<count))
    }

    @Test("a negative count gives no indices")
    func negative() {
        #expect(permutation(count: -3, seed: 0, epoch: 0) == [])
    }

    @Test("all orders of four are equally frequent over epochs, and over seeds")
    func uniform() {
        for overSeeds in [false, true] {
            var frequency: [[Int]: Int] = [:]
            let draws = 24_000
            for i in 0..<draws {
                frequency[
                    permutation(count: 4, seed: overSeeds ? UInt64(i) : 5, epoch: overSeeds ? 0 : i), default: 0] += 1
            }
            #expect(frequency.count == 24)
            let expected = Double(draws) / 24
            let chiSquare = frequency.values.reduce(0) {
                $0 + (Double($1) - expected) * (Double($1) - expected) / expected
            }
            // The 99.99th percentile of the distribution with 23 degrees of freedom.
            #expect(chiSquare < 54.0, "overSeeds: \(overSeeds)")
        }
    }

    @Test("every index is equally frequent at every place of an order of seven")
    func uniformPlaces() {
        var frequency = [Int](repeating: 0, count: 49)
        let draws = 14_000
        for epoch in 0..<draws {
            for (place, index) in permutation(count: 7, seed: 11, epoch: epoch).enumerated() {
                frequency[place * 7 + index] += 1
            }
        }
        let expected = Double(draws) / 7
        let chiSquare = frequency.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // 36 degrees of freedom (rows and columns are fixed) for a statistic that is 7/6 too large: 7/6 of the 99.99th
        // percentile, 74.5.
        #expect(chiSquare < 87)
    }

    @Test("the stream goes through all samples epoch by epoch, each epoch in its own order")
    func epochs() {
        var order = SampleOrder(sampleCount: 10, seed: 0, shuffles: true)
        let indices = order.indices(from: 0, count: 35)
        let expected = (0..<4).map { permutation(count: 10, seed: 0, epoch: $0) }
        #expect(indices == Array(expected.joined().prefix(35)))
        #expect(Set(expected).count == 4)
    }

    @Test("what is at a position does not depend on how one came there", arguments: [true, false])
    func positions(shuffles: Bool) {
        var whole = SampleOrder(sampleCount: 7, seed: 3, shuffles: shuffles)
        let all = whole.indices(from: 0, count: 60)
        var batches = SampleOrder(sampleCount: 7, seed: 3, shuffles: shuffles)
        #expect((0..<20).flatMap { batches.indices(from: $0 * 3, count: 3) } == all)
        for start in stride(from: 50, through: 0, by: -1) {
            #expect(batches.indices(from: start, count: 10) == Array(all[start..<start + 10]))
        }
    }

    @Test("without shuffling the samples come in their own order, again and again")
    func unshuffled() {
        var order = SampleOrder(sampleCount: 3, seed: 1, shuffles: false)
        #expect(order.indices(from: 2, count: 6) == [2, 0, 1, 2, 0, 1])
    }

    @Test("no samples, a negative position or a negative count give no indices, and a huge position does not trap")
    func degenerate() {
        var empty = SampleOrder(sampleCount: 0, seed: 1, shuffles: true)
        #expect(empty.indices(from: 0, count: 4) == [])
        var order = SampleOrder(sampleCount: 3, seed: 1, shuffles: true)
        #expect(order.indices(from: -1, count: 4) == [])
        #expect(order.indices(from: 0, count: -4) == [])
        #expect(order.indices(from: .max, count: 4).count == 4)
    }
}
