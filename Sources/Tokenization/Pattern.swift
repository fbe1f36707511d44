/// A regular expression, matched as Oniguruma matches it: alternatives in their order, repetitions as long as possible, and back
/// from there.
///
/// Published tokenizers cut texts by such patterns. They are matched here over scalars with tables of general categories,
/// because Foundation's and Swift's engines differ from Oniguruma in what is white space, a letter or a character.
struct Pattern: Sendable {
    /// A step of matching. Steps follow one another unless they say otherwise.
    enum Step: Equatable {
        case one(ScalarSet)
        /// As many scalars of a set as there are, at most and at least so many.
        case run(ScalarSet, Range<Int>, isPossessive: Bool)
        /// Tries the steps from here on, and then those at the target.
        case fork(otherwise: Int)
        case jump(Int)
        /// Tries the steps up to the target, which do not move the position.
        case lookahead(end: Int, isNegative: Bool)
        case end
    }

    /// What a range of a text is to a pattern.
    struct Part: Equatable {
        var range: Range<Int>
        var isMatch: Bool
    }

    private var steps: [Step] = []
    /// For a literal, its bytes: they are compared as they are.
    private let literal: [UInt8]
    /// Where each alternative of the whole pattern starts.
    private var entries: [Int] = []
    /// The alternatives that can match where a scalar stands: for each ASCII scalar, and for all others.
    private var candidates: [UInt64] = []

    /// The pattern that is a text literally; it must not be empty.
    init(literal: [UInt8]) { self.literal = literal }

    /// The pattern of a regular expression.
    ///
    /// - Throws: if it uses what is not known here, or if it can match no scalar at all.
    init(regularExpression: String) throws(PatternError) {
        literal = []
        let syntax = try PatternParser.parse(regularExpression)
        guard !syntax.canBeEmpty else { throw PatternError(message: "it matches where nothing stands") }
        let alternatives = if case .alternatives(let parts) = syntax { parts } else { [syntax] }
        guard alternatives.count <= 64 else { throw PatternError(message: "it has more than 64 alternatives") }
        for alternative in alternatives {
            entries.append(steps.count)
            try compile(alternative)
            steps.append(.end)
        }
        candidates = (0...128).map { scalar in
            var mask: UInt64 = 0
            for (index, alternative) in alternatives.enumerated()
            where scalar == 128 || alternative.canStart(with: UInt8(truncatingIfNeeded: scalar)) {
                mask |= 1 << UInt64(index)
            }
            return mask
        }
    }

    private static let stepLimit = 10_000

    private mutating func compile(_ syntax: PatternSyntax) throws(PatternError) {
        guard steps.count < Self.stepLimit else { throw PatternError(message: "it is too large") }
        switch syntax {
        case .set(let set): steps.append(.one(set))
        case .sequence(let parts): for part in parts { try compile(part) }
        case .alternatives(let parts): try compileAlternatives(parts)
        case .repetition(.set(let set), let counts, let isPossessive):
            steps.append(.run(set, counts, isPossessive: isPossessive))
        case .repetition(let part, let counts, let isPossessive):
            guard !isPossessive, !part.canBeEmpty else {
                throw PatternError(message: "a repeated group is not known here")
            }
            for _ in 0..<counts.lowerBound { try compile(part) }
            try compileOptional(part, atMost: counts.upperBound - 1 - counts.lowerBound)
        case .lookahead(let part, let isNegative):
            let index = steps.count
            steps.append(.end)
            try compile(part)
            steps.append(.end)
            steps[index] = .lookahead(end: steps.count, isNegative: isNegative)
        }
    }

    private mutating func compileAlternatives(_ parts: [PatternSyntax]) throws(PatternError) {
        var exits: [Int] = []
        for (index, part) in parts.enumerated() {
            guard index < parts.count - 1 else {
                try compile(part)
                break
            }
            let fork = steps.count
            steps.append(.end)
            try compile(part)
            exits.append(steps.count)
            steps.append(.end)
            steps[fork] = .fork(otherwise: steps.count)
        }
        for exit in exits { steps[exit] = .jump(steps.count) }
    }

    /// The part up to so many times, or any number of times.
    private mutating func compileOptional(_ part: PatternSyntax, atMost count: Int) throws(PatternError) {
        guard count <= 1_000 else {
            let fork = steps.count
            steps.append(.end)
            try compile(part)
            steps.append(.jump(fork))
            steps[fork] = .fork(otherwise: steps.count)
            return
        }
        var forks: [Int] = []
        for _ in 0..<count {
            forks.append(steps.count)
            steps.append(.end)
            try compile(part)
        }
        for fork in forks { steps[fork] = .fork(otherwise: steps.count) }
    }
}

extension PatternSyntax {
    /// Whether a match can start with an ASCII scalar; true where that is not known.
    fileprivate func canStart(with byte: UInt8) -> Bool {
        switch self {
        case .set(let set): set.contains(ascii: byte)
        case .alternatives(let parts): parts.contains { $0.canStart(with: byte) }
        case .repetition(let part, _, _): part.canStart(with: byte)
        case .lookahead: true
        case .sequence(let parts):
            Self.canStart(parts[...], with: byte)
        }
    }

    private static func canStart(_ parts: ArraySlice<PatternSyntax>, with byte: UInt8) -> Bool {
        guard let first = parts.first else { return true }
        return first.canStart(with: byte) || (first.canBeEmpty && canStart(parts.dropFirst(), with: byte))
    }
}

extension Pattern {
    /// Cuts a range of a text into what matches and what lies between, from left to right.
    func forEachPart(in bytes: [UInt8], _ range: Range<Int>, _ body: (Part) -> Void) {
        var matcher = PatternMatcher(steps: steps, length: range.count, end: range.upperBound)
        var (position, gap) = (range.lowerBound, range.lowerBound)
        while position < range.upperBound {
            guard let end = match(at: position, in: bytes, &matcher), end > position else {
                position += UTF8Text.length(first: bytes[position])
                continue
            }
            if gap < position { body(Part(range: gap..<position, isMatch: false)) }
            body(Part(range: position..<end, isMatch: true))
            position = end
            gap = end
        }
        if gap < range.upperBound { body(Part(range: gap..<range.upperBound, isMatch: false)) }
    }

    /// Where the match that starts at a position ends.
    @inline(__always)
    private func match(at position: Int, in bytes: [UInt8], _ matcher: inout PatternMatcher) -> Int? {
        guard literal.isEmpty else {
            let end = position + literal.count
            guard end <= matcher.end, bytes[position] == literal[0], bytes[position..<end].elementsEqual(literal) else {
                return nil
            }
            return end
        }
        var mask = candidates[Int(min(bytes[position], 128))]
        while mask != 0 {
            if let end = matcher.match(from: entries[mask.trailingZeroBitCount], at: position, in: bytes) { return end }
            mask &= mask - 1
        }
        return nil
    }
}
