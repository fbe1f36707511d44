/// Replaces a number that stands in a text by one that readers do not expect.
enum NumberMutation {
    static let extremes = [
        "-1", "0", "-0", "1", "2", "1.5", "1e308", "-1e308", "1e309", "1e-308", "1e400", "NaN", "nan", ".nan",
        "Infinity",
        "-.inf", "2147483647", "2147483648", "4294967296", "99999999999", "9007199254740993", "4611686018427387904",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551615", "18446744073709551616", "0x10", "010", "1_000", "+1", "1.", ".5", "true", "null",
        "\"1\"",
        "[]", "16777216", "16777217", String(repeating: "9", count: 400),
        "0." + String(repeating: "0", count: 400) + "1",
    ]

    /// - Parameter range: the part of the bytes that is text.
    static func apply(to bytes: inout [UInt8], in range: Range<Int>, _ numbers: inout RepeatableNumbers) {
        guard let token = token(in: bytes, range, from: range.lowerBound + numbers.index(below: range.count)) else {
            return
        }
        bytes.replaceSubrange(token, with: numbers.one(of: extremes).utf8)
    }

    /// The first number at or after a place, or else the first of all.
    private static func token(in bytes: [UInt8], _ range: Range<Int>, from place: Int) -> Range<Int>? {
        func isDigit(_ index: Int) -> Bool { (0x30...0x39).contains(bytes[index]) }
        func isPart(_ index: Int) -> Bool { isDigit(index) || "+-.eE".utf8.contains(bytes[index]) }
        guard
            var start = range[place...].first(where: isDigit) ?? range.first(where: isDigit)
        else { return nil }
        while start > range.lowerBound, isPart(start - 1) { start -= 1 }
        var end = start
        while end < range.upperBound, isPart(end) { end += 1 }
        return start..<end
    }
}
