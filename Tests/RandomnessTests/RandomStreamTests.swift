import Randomness
import Testing

@Suite("random streams")
struct RandomStreamTests {
    static let stream = RandomStream(seed: 0x0123_4567_89ab_cdef, purpose: .dropout, step: 7, sample: 11, layer: 13)

    @Test("words are those of the documented key and counter (Fixtures/goldens.py)")
    func golden() {
        let expected: [(Int, UInt32)] = [
            (0, 0x2066_ebe6), (1, 0xd69a_b310), (2, 0x1eb6_fab2), (3, 0xe5b3_7766), (4, 0x38bc_cc26),
            (1_000_003, 0x616e_65d9),
        ]
        for (position, word) in expected { #expect(Self.stream.word(position) == word) }
    }

    @Test("the published key and counter are those of the blocks")
    func keyAndCounter() {
        let (key, counter) = (Self.stream.key, Self.stream.counter)
        let block = Philox4x32.block(key: key, counter: SIMD4(9, counter.x, counter.y, counter.z))
        #expect(block == Self.stream.block(9))
    }

    @Test("a filled buffer holds the words of its positions, wherever it starts and ends")
    func fill() {
        for start in 0..<5 {
            for count in 0..<14 {
                var words = [UInt32](repeating: 0, count: count)
                words.withUnsafeMutableBufferPointer { Self.stream.fill($0, from: start) }
                #expect(words == (start..<start + count).map(Self.stream.word))
            }
        }
    }

    @Test("every part of the place changes the words")
    func parts() {
        let places = [
            RandomStream(seed: 1, purpose: .dropout), RandomStream(seed: 1 << 32, purpose: .dropout),
            RandomStream(seed: 1, purpose: .shuffle), RandomStream(seed: 1, purpose: .dropout, step: 1),
            RandomStream(seed: 1, purpose: .dropout, sample: 1), RandomStream(seed: 1, purpose: .dropout, layer: 1),
        ]
        let words = places.flatMap { stream in (0..<8).map(stream.word) }
        #expect(Set(words).count == words.count)
    }

    @Test("numbers past the counters' ranges wrap and do not trap")
    func wrap() {
        let wide = RandomStream(seed: 1, purpose: .shuffle, step: 1 << 32 + 3, sample: -1, layer: 1 << 24 + 2)
        let narrow = RandomStream(seed: 1, purpose: .shuffle, step: 3, sample: 0xffff_ffff, layer: 2)
        #expect(wide.block(5) == narrow.block(5))
        #expect(wide.word(1 << 34) == wide.word(0))
        #expect(wide.word(-1) == wide.word(1 << 34 - 1))
        #expect(wide.word(.max) == wide.word(1 << 34 - 1))
    }

    @Test("each bit of the words is set half of the time")
    func bits() {
        let count = 1 << 16
        let words = (0..<count).map(Self.stream.word)
        for bit in 0..<32 {
            let ones = words.count { $0 >> UInt32(bit) & 1 == 1 }
            // Five standard deviations of a binomial with p = ½; 1 of 50,000 seeds would fail.
            #expect(abs(ones - count / 2) < 5 * 128, "bit \(bit)")
        }
    }
}
