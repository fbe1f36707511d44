/// Follows the steps of a pattern, with the places to come back to on a stack of its own.
struct PatternMatcher {
    /// A choice that is still open: a run may end earlier, or other steps may be tried.
    private struct Choice {
        var step: Int
        var position: Int
        /// Where a run must not end before; the position itself for other choices.
        var least: Int
    }

    private let steps: [Pattern.Step]
    /// Where the text ends.
    let end: Int
    private var choices: [Choice] = []
    /// How many choices may still be come back to: a pattern that is made to take for ever does not. Published patterns need
    /// fewer than one for each scalar.
    private var budget: Int

    init(steps: [Pattern.Step], length: Int, end: Int) {
        self.steps = steps
        self.end = end
        budget = 100_000 + 16 * length
    }

    /// Where the match ends that starts with a step at a position; nil if there is none.
    mutating func match(from start: Int, at position: Int, in bytes: [UInt8]) -> Int? {
        let base = choices.count
        defer { choices.removeLast(choices.count - base) }
        var (step, position) = (start, position)
        while true {
            var fails = false
            switch steps[step] {
            case .end: return position
            case .jump(let target): step = target
            case .fork(let otherwise):
                choices.append(Choice(step: otherwise, position: position, least: position))
                step += 1
            case .one(let set):
                if position < end, case (let scalar, let length) = UTF8Text.scalar(at: position, in: bytes),
                    set.contains(scalar)
                {
                    position += length
                    step += 1
                } else {
                    fails = true
                }
            case .run(let set, let counts, let isPossessive):
                let (least, most) = Self.run(of: set, counts, at: position, end, in: bytes)
                fails = least == nil
                if let least {
                    position = most
                    step += 1
                    if least < most, !isPossessive { choices.append(Choice(step: step, position: most, least: least)) }
                }
            case .lookahead(let after, let isNegative):
                fails = (match(from: step + 1, at: position, in: bytes) == nil) != isNegative
                step = after
            }
            if fails {
                guard choices.count > base, let choice = takeChoice(in: bytes) else { return nil }
                (step, position) = (choice.step, choice.position)
            }
        }
    }

    /// The next of the last choice's possibilities.
    private mutating func takeChoice(in bytes: [UInt8]) -> Choice? {
        budget -= 1
        guard budget > 0, var choice = choices.popLast() else { return nil }
        guard choice.least < choice.position else { return choice }
        choice.position = UTF8Text.start(before: choice.position, in: bytes)
        if choice.least < choice.position { choices.append(choice) }
        return choice
    }

    /// Where a run ends at the earliest and at the latest; no earliest end if there are too few scalars.
    @inline(__always)
    private static func run(
        of set: ScalarSet, _ counts: Range<Int>, at start: Int, _ end: Int, in bytes: [UInt8]
    ) -> (least: Int?, most: Int) {
        var (position, count) = (start, 0)
        var least: Int? = counts.lowerBound == 0 ? start : nil
        let limit = counts.upperBound - 1
        while position < end, count < limit {
            let byte = bytes[position]
            if byte < 0x80 {
                guard set.contains(ascii: byte) else { break }
                position += 1
            } else {
                let (scalar, length) = UTF8Text.scalar(at: position, in: bytes)
                guard set.contains(scalar) else { break }
                position += length
            }
            count += 1
            if count == counts.lowerBound { least = position }
        }
        return (least, position)
    }
}
