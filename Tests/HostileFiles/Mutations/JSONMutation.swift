/// Changes that keep a JSON text JSON, mostly: members are dropped, doubled and renamed, values get another type or place, or
/// lie deep inside brackets.
enum JSONMutation: CaseIterable {
    case dropMember, duplicateMember, renameMember, copyValue, swapValues, replaceValue, nest

    private static let replacements =
        [
            "null", "true", "false", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"a\\nb\\u001b[31m\"", "\"../x\"",
            "\"/\"", "{}", "[]", "[[]]", "[null]", "{\"\":null}", "[0,0]", "[1,-1]", "\"\u{1F600}\u{301}\"", "\"NaN\"",
        ] + NumberMutation.extremes

    /// Nesting up to the limits of readers that have one, and far beyond what a stack without one holds.
    private static let depths = [1, 2, 63, 64, 65, 511, 512, 513, 1_000, 10_000, 100_000]

    /// - Parameters:
    ///   - range: the part of the bytes that is JSON.
    ///   - longest: nothing is nested so deep that the text would be longer.
    func apply(
        to bytes: inout [UInt8], in range: Range<Int>, longest: Int, _ numbers: inout RepeatableNumbers
    ) {
        let outline = JSONOutline(bytes, in: range)
        guard !outline.values.isEmpty else { return }
        let value = numbers.one(of: outline.values)
        switch self {
        case .dropMember, .duplicateMember, .renameMember:
            guard !outline.members.isEmpty else { return }
            let member = numbers.one(of: outline.members)
            if self == .dropMember {
                bytes.removeSubrange(withComma(member.whole, in: bytes, range))
            } else if self == .duplicateMember {
                bytes.insert(contentsOf: Array(bytes[member.whole]) + [UInt8(ascii: ",")], at: member.whole.lowerBound)
            } else {
                let names = ["\"\"", "\"x\"", "\"__metadata__\"", "\"a\\nb\"", "\"\\u00e9\"", "\"e\\u0301\""]
                bytes.replaceSubrange(member.key, with: numbers.one(of: names).utf8)
            }
        case .copyValue:
            let source = Array(bytes[numbers.one(of: outline.values)])
            bytes.replaceSubrange(value, with: source)
        case .swapValues:
            let other = numbers.one(of: outline.values)
            let (first, second) = value.lowerBound < other.lowerBound ? (value, other) : (other, value)
            guard first.upperBound <= second.lowerBound else { return }
            let (head, tail) = (Array(bytes[first]), Array(bytes[second]))
            bytes.replaceSubrange(second, with: head)
            bytes.replaceSubrange(first, with: tail)
        case .replaceValue:
            bytes.replaceSubrange(value, with: numbers.one(of: Self.replacements).utf8)
        case .nest:
            let depth = min(numbers.one(of: Self.depths), longest / 12)
            let (open, close) = numbers.one(of: [("[", "]"), ("{\"a\":", "}")])
            let isClosed = !numbers.oneIn(3)
            if isClosed { bytes.insert(contentsOf: String(repeating: close, count: depth).utf8, at: value.upperBound) }
            bytes.insert(contentsOf: String(repeating: open, count: depth).utf8, at: value.lowerBound)
        }
    }

    /// A member with the comma after it, or else before it, so that the rest stays well formed.
    private func withComma(_ member: Range<Int>, in bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        let comma = UInt8(ascii: ",")
        var end = member.upperBound
        while end < range.upperBound, bytes[end] <= 0x20 { end += 1 }
        if end < range.upperBound, bytes[end] == comma { return member.lowerBound..<end + 1 }
        var start = member.lowerBound
        while start > range.lowerBound, bytes[start - 1] <= 0x20 { start -= 1 }
        return start > range.lowerBound && bytes[start - 1] == comma ? start - 1..<member.upperBound : member
    }
}

/// Where the values and the members of objects stand in a JSON text, found in one pass that never fails: what is not JSON is
/// passed over.
struct JSONOutline {
    struct Member {
        let key: Range<Int>
        /// The key with its value.
        let whole: Range<Int>
    }

    private(set) var values: [Range<Int>] = []
    private(set) var members: [Member] = []

    private struct Level {
        let start: Int
        let isObject: Bool
        var key: Range<Int>?
    }

    init(_ bytes: [UInt8], in range: Range<Int>) {
        var levels: [Level] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                levels.append(Level(start: start, isObject: bytes[position] == UInt8(ascii: "{")))
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                position += 1
                if let level = levels.popLast() { end(level.start..<position, &levels) }
            case UInt8(ascii: "\""):
                position += 1
                while position < range.upperBound, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, range.upperBound)
                if let level = levels.last, level.isObject, level.key == nil {
                    levels[levels.count - 1].key = start..<position
                } else {
                    end(start..<position, &levels)
                }
            case 0...0x20, UInt8(ascii: ":"), UInt8(ascii: ","):
                position += 1
            default:
                while position < range.upperBound, bytes[position] > 0x20,
                    !",:{}[]\"".utf8.contains(bytes[position])
                { position += 1 }
                end(start..<position, &levels)
            }
        }
    }

    private mutating func end(_ value: Range<Int>, _ levels: inout [Level]) {
        values.append(value)
        guard let key = levels.last?.key else { return }
        members.append(Member(key: key, whole: key.lowerBound..<value.upperBound))
        levels[levels.count - 1].key = nil
    }
}
