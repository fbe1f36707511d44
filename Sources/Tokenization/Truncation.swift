import Diagnostics

/// How tokens are taken away until an encoding is short enough.
public struct Truncation: Sendable, Equatable {
    public enum Strategy: String, Sendable {
        /// From the longer text, until both are equally long.
        case longestFirst = "LongestFirst"
        case onlyFirst = "OnlyFirst"
        case onlySecond = "OnlySecond"
    }

    /// The most tokens that an encoding has, special ones included.
    public var maxLength: Int
    public var strategy: Strategy
    /// Take from the beginning of a text rather than from its end.
    public var truncatesStart: Bool
    /// How many tokens a window shares with the one before it, where a text becomes several windows.
    public var stride: Int

    public init(
        maxLength: Int, strategy: Strategy = .longestFirst, truncatesStart: Bool = false, stride: Int = 0
    ) {
        self.maxLength = maxLength
        self.strategy = strategy
        self.truncatesStart = truncatesStart
        self.stride = stride
    }

    /// How many tokens of each text stay.
    ///
    /// - Parameter special: how many tokens of `maxLength` go to special ones.
    /// - Throws: `usage` if the one text that may be shortened is too short to make room for the rest.
    func counts(_ first: Int, _ second: Int?, special: Int) throws(TokenizationError) -> (first: Int, second: Int?) {
        let room = maxLength > special ? maxLength - special : 0
        guard room > 0 else { return (0, second.map { _ in 0 }) }
        let total = first + (second ?? 0)
        guard total > room else { return (first, second) }
        let excess = total - room
        switch strategy {
        case .longestFirst:
            guard let second else { return (room, nil) }
            let (shorter, longer) = (min(first, second), max(first, second))
            var kept = (shorter: shorter, longer: longer)
            kept.longer = shorter > room ? shorter : max(shorter, room - shorter)
            if kept.shorter + kept.longer > room { kept = (room / 2, room / 2 + room % 2) }
            return first > second ? (kept.longer, kept.shorter) : (kept.shorter, kept.longer)
        case .onlyFirst:
            guard first > excess else { throw .tooShort("first", first, room, total) }
            return (first - excess, second)
        case .onlySecond:
            guard let second else {
                throw TokenizationError(.usage, "a truncation of the second text alone, but there is only one text")
            }
            guard second > excess else { throw .tooShort("second", second, room, total) }
            return (first, second - excess)
        }
    }

    /// The ranges of a text's tokens that the windows have, the one that stays first.
    ///
    /// - Throws: `usage` if windows of `length` tokens cannot share `stride`.
    func windows(of count: Int, length: Int) throws(TokenizationError) -> [Range<Int>] {
        guard length < count else { return [0..<count] }
        guard length > 0 else { return [0..<0] }
        guard stride >= 0, stride < length else {
            throw TokenizationError(
                .usage, "a stride of \(stride) tokens for windows of \(length), expected less; set a smaller stride")
        }
        var ranges: [Range<Int>] = []
        let step = length - stride
        if truncatesStart {
            var end = count
            while true {
                ranges.append(max(0, end - length)..<end)
                guard end > length else { return ranges }
                end -= step
            }
        }
        var start = 0
        while true {
            ranges.append(start..<min(start + length, count))
            guard start + length < count else { return ranges }
            start += step
        }
    }
}

extension TokenizationError {
    fileprivate static func tooShort(_ which: String, _ count: Int, _ room: Int, _ total: Int) -> TokenizationError {
        TokenizationError(
            .usage,
            "the \(which) text has \(count) tokens, too few to bring \(total) down to \(room); set a larger maximum length"
        )
    }
}
