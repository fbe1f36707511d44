/// Changes of YAML, tables and lists, whose unit is the line.
enum LineMutation: CaseIterable {
    case drop, duplicate, swap, replaceValue, indent, insert, nest, changeEnd

    private static let lines = [
        "", " ", "\t", "-", "- x", "? x", ": x", "<<: *a", "a: &a [1]", "b: *a", "---", "...", "%YAML 1.1", "\"", "'",
        "{",
        "[", "|", ">", "!!binary x", "#", "\u{FEFF}", "seed: 1", "adapter: 3", "\t\t\t", ",,,", "\"a\nb\"", "{}",
        "null",
        "[CLS]", "##", "\u{0}", "é", "e\u{301}",
    ]

    private static let values =
        [
            "", "~", "null", "[]", "{}", "yes", "\"", "'x", "|", "*a", "&a x", "!!int 3", "x: y", "[a, b", "../x",
            "\u{7}", "a\tb",
        ]
        + NumberMutation.extremes

    /// What opens a level of nesting, and what closes it.
    private static let nestings = [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("(", ")")]
    private static let depths = [2, 64, 500, 999, 1_001, 10_000, 100_000]

    /// - Parameter longest: nothing is nested so deep that the text would be longer.
    func apply(to bytes: inout [UInt8], longest: Int, _ numbers: inout RepeatableNumbers) {
        let line = Self.line(at: numbers.index(below: bytes.count), in: bytes)
        let other = Self.line(at: numbers.index(below: bytes.count), in: bytes)
        switch self {
        case .drop: bytes.removeSubrange(line)
        case .duplicate: bytes.insert(contentsOf: Array(bytes[line]), at: other.lowerBound)
        case .swap:
            let (first, second) = line.lowerBound < other.lowerBound ? (line, other) : (other, line)
            guard first.upperBound <= second.lowerBound else { return }
            let (head, tail) = (Array(bytes[first]), Array(bytes[second]))
            bytes.replaceSubrange(second, with: head)
            bytes.replaceSubrange(first, with: tail)
        case .replaceValue:
            guard let separator = bytes[line].firstIndex(where: { ":,\t".utf8.contains($0) }) else { return }
            bytes.replaceSubrange(
                separator + 1..<line.upperBound, with: " \(numbers.one(of: Self.values))\n".utf8)
        case .indent:
            let spaces = String(repeating: numbers.oneIn(8) ? "\t" : " ", count: 1 + numbers.index(below: 8))
            bytes.insert(contentsOf: spaces.utf8, at: line.lowerBound)
        case .insert:
            bytes.insert(contentsOf: "\(numbers.one(of: Self.lines))\n".utf8, at: line.lowerBound)
        case .nest:
            let depth = min(numbers.one(of: Self.depths), longest / 8)
            let (open, close) = numbers.one(of: Self.nestings)
            let place = line.lowerBound + numbers.index(below: line.count)
            if numbers.oneIn(2) {
                bytes.insert(contentsOf: String(repeating: close, count: depth).utf8, at: place)
            }
            bytes.insert(contentsOf: String(repeating: open, count: depth).utf8, at: place)
        case .changeEnd:
            guard let last = bytes[line].last, last == UInt8(ascii: "\n") else { return }
            let ends = ["\r\n", "\r", "", "\u{85}", "\u{2028}", "\n\n\n", "\r\r\n", "\u{0}"]
            bytes.replaceSubrange(line.upperBound - 1..<line.upperBound, with: numbers.one(of: ends).utf8)
        }
    }

    /// The line that a place is in, with its end.
    private static func line(at place: Int, in bytes: [UInt8]) -> Range<Int> {
        guard place < bytes.count else { return bytes.count..<bytes.count }
        let feed = UInt8(ascii: "\n")
        let start = bytes[..<place].lastIndex(of: feed).map { $0 + 1 } ?? 0
        return start..<(bytes[place...].firstIndex(of: feed).map { $0 + 1 } ?? bytes.count)
    }
}
