/// A regular expression over the paths of modules, with the meaning that Python's `re` gives it.
///
/// Only whether it matches is of interest, never what part of it did. So it is followed with sets of positions: an expression
/// takes each position in the path to those where it can end, and nothing is ever tried twice. A path of n characters costs
/// O(n) for each part of the expression, times the rounds of the repetitions that are around it; there is no backtracking.
struct ModuleExpression {
    indirect enum Part {
        case character((Unicode.Scalar) -> Bool)
        case start
        case end
        case wordBoundary(isOne: Bool)
        case sequence([Part])
        case alternatives([Part])
        /// `most` is nil without an upper limit.
        case repeated(Part, least: Int, most: Int?)
        case ahead(Part, matches: Bool)
    }

    /// Scalars of a key without any sign but the dot; nil for other keys.
    private let name: [Unicode.Scalar]?
    private let whole: Part

    /// - Throws: ``ModuleExpressionError`` for what is no expression, or one with parts that this program does not read.
    init(_ text: String) throws(ModuleExpressionError) {
        let scalars = Array(text.unicodeScalars)
        let isName = scalars.allSatisfy { $0.isPartOfWord || $0 == "." || $0 == "-" }
        name = isName ? scalars : nil
        whole = isName ? .sequence([]) : try ModuleExpressionParser.parse(scalars)
    }

    /// Whether the expression matches the whole of a path, or what follows one of its dots: Python's
    /// `re.match(rf"(.*\.)?({key})$", path)`.
    ///
    /// - Parameter effort: is counted down; what is left at 0 or below was not looked at.
    func matches(_ path: [Unicode.Scalar], effort: inout Int) -> Bool {
        if let name {
            effort -= 1
            guard name.count <= path.count else { return false }
            let start = path.count - name.count
            guard start == 0 || path[start - 1] == "." else { return false }
            for (index, scalar) in name.enumerated() where scalar != "." && scalar != path[start + index] {
                effort -= index
                return false
            }
            return true
        }
        var starts = Positions(repeating: false, count: path.count + 1)
        starts[0] = true
        for (index, scalar) in path.enumerated() where scalar == "." { starts[index + 1] = true }
        return Self.ends(of: whole, from: starts, in: path, effort: &effort)[path.count]
    }

    /// Which of the positions before, between and after the characters of a path.
    private typealias Positions = [Bool]

    private static func ends(
        of part: Part, from starts: Positions, in path: [Unicode.Scalar], effort: inout Int
    ) -> Positions {
        let none = Positions(repeating: false, count: starts.count)
        effort -= starts.count
        guard effort > 0, starts.contains(true) else { return none }
        switch part {
        case .character(let matches):
            var ends = none
            for (index, scalar) in path.enumerated() where starts[index] && matches(scalar) { ends[index + 1] = true }
            return ends
        case .start: return starts.filtered { $0 == 0 }
        case .end: return starts.filtered { $0 == path.count }
        case .wordBoundary(let isOne):
            return starts.filtered { place in
                let before = place > 0 && path[place - 1].isPartOfWord
                let after = place < path.count && path[place].isPartOfWord
                return (before != after) == isOne
            }
        case .sequence(let parts):
            return parts.reduce(starts) { ends(of: $1, from: $0, in: path, effort: &effort) }
        case .alternatives(let parts):
            return parts.reduce(none) { $0.union(ends(of: $1, from: starts, in: path, effort: &effort)) }
        case .repeated(let part, let least, let most):
            return ends(ofRepeated: part, least, most, from: starts, in: path, effort: &effort)
        case .ahead(let part, let matches):
            var result = none
            for place in starts.indices where starts[place] {
                var alone = none
                alone[place] = true
                result[place] = ends(of: part, from: alone, in: path, effort: &effort).contains(true) == matches
            }
            return result
        }
    }

    private static func ends(
        ofRepeated part: Part, _ least: Int, _ most: Int?, from starts: Positions, in path: [Unicode.Scalar],
        effort: inout Int
    ) -> Positions {
        var reached = starts
        for _ in 0..<least {
            let next = ends(of: part, from: reached, in: path, effort: &effort)
            // No further round changes anything.
            guard next != reached else { break }
            reached = next
        }
        var all = reached
        var rounds = 0
        while reached.contains(true), most.map({ rounds < $0 - least }) ?? true {
            rounds += 1
            reached = ends(of: part, from: reached, in: path, effort: &effort).without(all)
            all = all.union(reached)
        }
        return all
    }
}

extension [Bool] {
    fileprivate func filtered(_ isKept: (Int) -> Bool) -> Self { indices.map { self[$0] && isKept($0) } }
    fileprivate func union(_ other: Self) -> Self { zip(self, other).map { $0 || $1 } }
    fileprivate func without(_ other: Self) -> Self { zip(self, other).map { $0 && !$1 } }
}

extension Unicode.Scalar {
    /// Python's `\w`.
    var isPartOfWord: Bool {
        if self == "_" { return true }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }

    /// Python's `\d`.
    var isDecimalDigit: Bool { properties.generalCategory == .decimalNumber }
}
