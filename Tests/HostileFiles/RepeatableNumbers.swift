internal import Randomness

/// Random numbers that depend on the seed, the reader and the input's index alone, so that any one input can be made again
/// without those before it.
struct RepeatableNumbers: RandomNumberGenerator {
    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words = SIMD4<UInt32>()
    private var used = 4

    /// - Parameter reader: tells one reader's inputs from those of another.
    init(seed: UInt64, reader: String, index: Int) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        // FNV-1a: a new reader must not change the inputs of the others, as a position in a list would.
        let name = reader.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        counter = SIMD4(
            0, UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), name)
    }

    mutating func next() -> UInt64 {
        if used == 4 {
            words = Philox4x32.block(key: key, counter: counter)
            counter.x &+= 1
            used = 0
        }
        defer { used += 2 }
        return UInt64(words[used]) << 32 | UInt64(words[used + 1])
    }
}

extension RepeatableNumbers {
    /// Whether something happens that happens once in `count` times.
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<max(count, 1), using: &self) == 0 }

    /// A number from 0 to below `count`; 0 if there is none.
    mutating func index(below count: Int) -> Int { count > 0 ? Int.random(in: 0..<count, using: &self) : 0 }

    /// A range within 0..<count of at most `longest`; short ones are more frequent.
    mutating func span(in count: Int, atMost longest: Int) -> Range<Int> {
        let start = index(below: count)
        let room = min(count - start, max(longest, 1))
        let limit = oneIn(2) ? min(room, 16) : room
        return start..<start + min(limit, 1 + index(below: limit))
    }

    /// One of the elements of a list that is not empty.
    mutating func one<Element>(of elements: [Element]) -> Element { elements[index(below: elements.count)] }
}
