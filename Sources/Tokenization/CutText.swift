/// A text that is cut into pieces, each a range of its bytes.
struct CutText {
    var text: AlignedText
    var pieces: [Range<Int>]

    init(_ text: AlignedText) {
        self.text = text
        pieces = text.isEmpty ? [] : [0..<text.bytes.count]
    }

    /// Cuts every piece where a pattern says so.
    mutating func cut(by pattern: Pattern, _ behavior: SplitBehavior, isInverted: Bool = false) {
        var result: [Range<Int>] = []
        result.reserveCapacity(text.bytes.count / 4 + pieces.count)
        for piece in pieces {
            var joiner = behavior.joiner
            pattern.forEachPart(in: text.bytes, piece) { part in
                joiner.add(part.range, isMatch: part.isMatch != isInverted, to: &result)
            }
        }
        pieces = result
    }

    /// Cuts every piece where scalars of a kind stand; each of these is a match of its own.
    mutating func cut(_ behavior: SplitBehavior, where isMatch: (Unicode.Scalar) -> Bool) {
        var result: [Range<Int>] = []
        result.reserveCapacity(text.bytes.count / 4 + pieces.count)
        for piece in pieces {
            var joiner = behavior.joiner
            var (gap, position) = (piece.lowerBound, piece.lowerBound)
            while position < piece.upperBound {
                let (scalar, length) = UTF8Text.scalar(at: position, in: text.bytes)
                if isMatch(scalar) {
                    if gap < position { joiner.add(gap..<position, isMatch: false, to: &result) }
                    joiner.add(position..<position + length, isMatch: true, to: &result)
                    gap = position + length
                }
                position += length
            }
            if gap < piece.upperBound { joiner.add(gap..<piece.upperBound, isMatch: false, to: &result) }
        }
        pieces = result
    }

    /// Writes every piece anew.
    mutating func rewrite(_ body: (_ old: AlignedText, _ piece: Range<Int>, _ new: inout AlignedText) -> Void) {
        var new = AlignedText(derivedFrom: text)
        for index in pieces.indices {
            let start = new.bytes.count
            body(text, pieces[index], &new)
            pieces[index] = start..<new.bytes.count
        }
        text = new
    }
}

/// What becomes of the matches at which a text is cut.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Puts the parts of one piece together.
    struct Joiner {
        let behavior: SplitBehavior
        private var previousIsMatch: Bool
        private var isFirst = true

        init(_ behavior: SplitBehavior) {
            self.behavior = behavior
            previousIsMatch = false
        }

        /// Adds a part, which follows those before it, to the pieces of a text.
        @inline(__always)
        mutating func add(_ range: Range<Int>, isMatch: Bool, to pieces: inout [Range<Int>]) {
            defer {
                previousIsMatch = isMatch
                isFirst = false
            }
            let joins =
                switch behavior {
                case .removed, .isolated: false
                case .mergedWithPrevious: isMatch && !previousIsMatch
                case .mergedWithNext: previousIsMatch && !isMatch
                case .contiguous: isMatch == previousIsMatch
                }
            if behavior == .removed, isMatch { return }
            if joins, !isFirst {
                pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<range.upperBound
            } else {
                pieces.append(range)
            }
        }
    }

    var joiner: Joiner { Joiner(self) }
}
