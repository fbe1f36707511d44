/// A regular expression over the paths of modules, with the meaning that Python's `re` gives it.
///
/// Only whether it matches is of interest, never what part of it did. So it is followed with sets of positions: an expression
/// takes the positions in the path where it may begin to those where it can end, all at once, and there is no backtracking: a
/// part costs as many steps as there are positions, for each round of the repetitions that are around it.
public struct ModuleExpression {
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
    public init(_ text: String) throws(ModuleExpressionError) {
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
                effort -= index / 8
                return false
            }
            return true
        }
        let starts = [0] + path.indices.filter { path[$0] == "." }.map { $0 + 1 }
        return Self.ends(of: whole, from: starts, in: path, effort: &effort).last == path.count
    }

    /// What matching one path may cost: many times what a list of a thousand names does.
    private static let largestEffort = 1 << 18

    /// Those of some paths that the expression matches as a whole, and nothing less: Python's `re.fullmatch`.
    ///
    /// - Throws: ``ModuleExpressionError`` where that takes too long.
    public func matchingWhole(_ paths: [String]) throws(ModuleExpressionError) -> [String] {
        var matching: [String] = []
        for path in paths {
            var effort = Self.largestEffort
            if matchesWhole(Array(path.unicodeScalars), effort: &effort) { matching.append(path) }
            guard effort > 0 else {
                throw ModuleExpressionError(description: "takes too long to match with the model's modules; name them")
            }
        }
        return matching
    }

    private func matchesWhole(_ path: [Unicode.Scalar], effort: inout Int) -> Bool {
        if let name { return name.count == path.count && zip(name, path).allSatisfy { $0 == "." || $0 == $1 } }
        return Self.ends(of: whole, from: [0], in: path, effort: &effort).last == path.count
    }

    /// Some of the positions before, between and after the characters of a path, in their order.
    private typealias Positions = [Int]

    private static func ends(
        of part: Part, from starts: Positions, in path: [Unicode.Scalar], effort: inout Int
    ) -> Positions {
        effort -= starts.count + 1
        guard effort > 0, !starts.isEmpty else { return [] }
        switch part {
        case .character(let matches):
            return starts.filter { $0 < path.count && matches(path[$0]) }.map { $0 + 1 }
        case .start: return starts.filter { $0 == 0 }
        case .end: return starts.filter { $0 == path.count }
        case .wordBoundary(let isOne):
            return starts.filter { place in
                let before = place > 0 && path[place - 1].isPartOfWord
                let after = place < path.count && path[place].isPartOfWord
                return (before != after) == isOne
            }
        case .sequence(let parts):
            return parts.reduce(starts) { ends(of: $1, from: $0, in: path, effort: &effort) }
        case .alternatives(let parts):
            return parts.reduce([]) { $0.union(ends(of: $1, from: starts, in: path, effort: &effort)) }
        case .repeated(let part, let least, let most):
            return ends(ofRepeated: part, least, most, from: starts, in: path, effort: &effort)
        case .ahead(let part, let matches):
            return starts.filter { ends(of: part, from: [$0], in: path, effort: &effort).isEmpty != matches }
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
        var all = Set(reached)
        var rounds = 0
        while !reached.isEmpty, most.map({ rounds < $0 - least }) ?? true {
            rounds += 1
            reached = ends(of: part, from: reached, in: path, effort: &effort).filter { !all.contains($0) }
            all.formUnion(reached)
        }
        return all.sorted()
    }
}

extension [Int] {
    /// Of two lists in order, without repetitions.
    fileprivate func union(_ other: Self) -> Self { isEmpty ? other : Set(self).union(other).sorted() }
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
