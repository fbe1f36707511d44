/// A regular expression as a tree: the part of Oniguruma's language that published tokenizers use.
indirect enum PatternSyntax: Equatable {
    case set(ScalarSet)
    case sequence([PatternSyntax])
    case alternatives([PatternSyntax])
    case repetition(PatternSyntax, Range<Int>, isPossessive: Bool)
    case lookahead(PatternSyntax, isNegative: Bool)

    /// The most that a repetition counts to; `upperBound - 1` is the greatest number.
    static let unlimited = 1 << 30

    /// Whether a text of no scalar can fulfil it.
    var canBeEmpty: Bool {
        switch self {
        case .set: false
        case .sequence(let parts): parts.allSatisfy(\.canBeEmpty)
        case .alternatives(let parts): parts.contains(where: \.canBeEmpty)
        case .repetition(let part, let counts, _): counts.lowerBound == 0 || part.canBeEmpty
        case .lookahead: true
        }
    }
}
