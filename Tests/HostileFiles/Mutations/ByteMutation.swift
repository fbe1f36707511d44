/// Changes that know nothing of what the bytes mean.
enum ByteMutation: CaseIterable {
    case flipBit, overwriteByte, overwriteInteger, truncate, insert, delete, duplicate, swap, splice, inflate

    /// Bytes at which readers change their minds: ends of ranges, quotes, brackets, separators, broken and special UTF-8.
    private static let bytes: [[UInt8]] =
        [
            [0x00], [0xFF], [0x7F], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xEF, 0xBB, 0xBF], [0xE2, 0x80, 0xA8], [0xCC, 0x81], [0x0D, 0x0A], [0x1B],
        ] + "\"'\\{}[],:;/.-+#&*!|>?%@` \t\n\r0123456789eEuaZ".utf8.map { [$0] }

    /// Integers at which arithmetic goes wrong.
    static let integers: [UInt64] = [
        0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
        99_999_999, 100_000_000, 100_000_001, 1 << 53, 0x7FFF_FFFF_FFFF_FFF8, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_FFFF_FFFF_FFFF,
    ]

    /// What makes a long input a hard one: much nesting, many small values, text whose marks must be sorted.
    private static let repeated = [
        "[", "{\"a\":", "0,", "[],", "{},", "\"\",", "\"\":0,", "\n", "\t", ",", " ", "\"", "\\", "\\u0000",
        "\u{301}\u{327}", "\u{315}",
        "\u{1F468}\u{200D}", "\u{4E2D}", "a", "a ", "- ", "a: ", "x\n", "\"\n\"\n", "0,0\n", "\"a\":{},", "9",
    ]

    /// - Parameters:
    ///   - other: another seed of the same reader.
    ///   - longest: the result is not made longer than this on purpose.
    func apply(
        to bytes: inout [UInt8], other: [UInt8], longest: Int, _ numbers: inout RepeatableNumbers
    ) {
        let place = numbers.index(below: bytes.count + 1)
        switch self {
        case .flipBit:
            guard place < bytes.count else { return }
            bytes[place] ^= 1 << UInt8(numbers.index(below: 8))
        case .overwriteByte:
            let replacement = numbers.one(of: Self.bytes)
            bytes.replaceSubrange(place..<min(bytes.count, place + replacement.count), with: replacement)
        case .overwriteInteger:
            let integer = numbers.one(of: Self.integers)
            let size = numbers.one(of: [2, 4, 8])
            let replacement = (0..<size).map { UInt8(truncatingIfNeeded: integer >> UInt64(8 * $0)) }
            bytes.replaceSubrange(place..<min(bytes.count, place + size), with: replacement)
        case .truncate:
            bytes.removeSubrange(place...)
        case .insert:
            let count = 1 + numbers.index(below: 12)
            let inserted = (0..<count).flatMap { _ in
                numbers.oneIn(2) ? numbers.one(of: Self.bytes) : [UInt8(truncatingIfNeeded: numbers.next())]
            }
            bytes.insert(contentsOf: inserted, at: place)
        case .delete:
            bytes.removeSubrange(numbers.span(in: bytes.count, atMost: bytes.count))
        case .duplicate:
            let span = numbers.span(in: bytes.count, atMost: 4_096)
            bytes.insert(contentsOf: Array(bytes[span]), at: place)
        case .swap:
            let (one, two) = (numbers.span(in: bytes.count, atMost: 256), numbers.span(in: bytes.count, atMost: 256))
            let (first, second) = one.lowerBound < two.lowerBound ? (one, two) : (two, one)
            guard first.upperBound <= second.lowerBound else { return }
            let (head, tail) = (Array(bytes[first]), Array(bytes[second]))
            bytes.replaceSubrange(second, with: head)
            bytes.replaceSubrange(first, with: tail)
        case .splice:
            bytes = Array(bytes[..<place]) + other[numbers.index(below: other.count + 1)...]
        case .inflate:
            let span = numbers.span(in: bytes.count, atMost: 64)
            let repeated = numbers.oneIn(2) ? Array(bytes[span]) : Array(numbers.one(of: Self.repeated).utf8)
            guard !repeated.isEmpty, bytes.count < longest else { return }
            // Of every size up to the longest, the long ones rarely.
            let room = (longest - bytes.count) >> numbers.index(below: 10)
            bytes.insert(
                contentsOf: (0..<room / repeated.count).flatMap { _ in repeated }, at: span.upperBound)
        }
    }
}
