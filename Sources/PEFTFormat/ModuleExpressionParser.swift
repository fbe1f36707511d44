/// What an expression over modules' paths cannot hold.
public struct ModuleExpressionError: Error {
    public let description: String
}

/// Takes a regular expression apart.
///
/// Understood are characters, `.`, `^`, `$`, `|`, groups, look-aheads, classes, `*`, `+`, `?` and `{m,n}` with and without a `?`
/// behind them, and the escapes `\d \w \s \D \W \S \b \B \A \Z` and of signs. The rest of Python's expressions (references to
/// groups, names, flags, look-behinds, possessive repetition) is refused.
struct ModuleExpressionParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    /// Deeper nesting is refused, so that a hostile file cannot exhaust the stack.
    private static let depthLimit = 32

    static func parse(_ scalars: [Unicode.Scalar]) throws(ModuleExpressionError) -> ModuleExpression.Part {
        var parser = ModuleExpressionParser(scalars: scalars)
        let whole = try parser.alternatives()
        guard parser.next == nil else { throw parser.failure("a ')' without its '('") }
        return whole
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    private func failure(_ what: String) -> ModuleExpressionError {
        ModuleExpressionError(description: "\(what) at character \(position), which this program does not read")
    }

    private mutating func alternatives() throws(ModuleExpressionError) -> ModuleExpression.Part {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw failure("groups nested deeper than \(Self.depthLimit)") }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence() throws(ModuleExpressionError) -> ModuleExpression.Part {
        var parts: [ModuleExpression.Part] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let part = try atom()
            parts.append(try repetition(of: part))
        }
        return .sequence(parts)
    }

    private mutating func atom() throws(ModuleExpressionError) -> ModuleExpression.Part {
        if take("(") { return try group() }
        if take("[") { return .character(try characterClass()) }
        if take("\\") { return try escape() }
        if take(".") { return .character { $0 != "\n" } }
        if take("^") { return .start }
        if take("$") { return .end }
        guard let scalar = next, !"*+?{".unicodeScalars.contains(scalar) else { throw failure("nothing to repeat") }
        position += 1
        return .character { $0 == scalar }
    }

    /// What follows an opening parenthesis.
    private mutating func group() throws(ModuleExpressionError) -> ModuleExpression.Part {
        let isAhead = take("?=")
        let isNotAhead = !isAhead && take("?!")
        if !isAhead, !isNotAhead, !take("?:"), next == "?" { throw failure("a group with '?'") }
        let part = try alternatives()
        guard take(")") else { throw failure("a '(' without its ')'") }
        return isAhead || isNotAhead ? .ahead(part, matches: isAhead) : part
    }

    private mutating func repetition(
        of part: ModuleExpression.Part
    ) throws(ModuleExpressionError) -> ModuleExpression.Part {
        let (least, most): (Int, Int?)
        if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            (least, most) = (1, nil)
        } else if take("?") {
            (least, most) = (0, 1)
        } else if take("{") {
            (least, most) = try limits()
        } else {
            return part
        }
        switch part {
        case .start, .end, .wordBoundary: throw failure("nothing to repeat")
        default: break
        }
        // As few as possible or as many: the same positions are reached.
        _ = take("?")
        if let scalar = next, "*+?{".unicodeScalars.contains(scalar) { throw failure("a repetition of a repetition") }
        return .repeated(part, least: least, most: most)
    }

    /// `m}`, `m,}`, `,n}` or `m,n}`.
    private mutating func limits() throws(ModuleExpressionError) -> (least: Int, most: Int?) {
        func number(_ position: inout Int) -> Int? {
            var digits = ""
            while position < scalars.count, ("0"..."9").contains(scalars[position]), digits.count < 6 {
                digits.unicodeScalars.append(scalars[position])
                position += 1
            }
            return Int(digits)
        }
        let least = number(&position)
        var most = least
        let isRange = take(",")
        if isRange { most = number(&position) }
        guard take("}"), isRange || least != nil, (least ?? 0) <= most ?? .max else {
            throw failure("a '{' without limits of repetition")
        }
        return (least ?? 0, most)
    }

    /// What follows a backslash outside a class.
    private mutating func escape() throws(ModuleExpressionError) -> ModuleExpression.Part {
        if take("A") { return .start }
        if take("Z") { return .end }
        if take("b") { return .wordBoundary(isOne: true) }
        if take("B") { return .wordBoundary(isOne: false) }
        return .character(try escapedClass())
    }

    /// The characters that an escape stands for.
    private mutating func escapedClass() throws(ModuleExpressionError) -> (Unicode.Scalar) -> Bool {
        if take("d") { return { $0.isDecimalDigit } }
        if take("D") { return { !$0.isDecimalDigit } }
        if take("w") { return { $0.isPartOfWord } }
        if take("W") { return { !$0.isPartOfWord } }
        if take("s") { return { $0.properties.isWhitespace } }
        if take("S") { return { !$0.properties.isWhitespace } }
        let sign = try escapedSign()
        return { $0 == sign }
    }

    private mutating func escapedSign() throws(ModuleExpressionError) -> Unicode.Scalar {
        guard let scalar = next, !(scalar.isASCII && scalar.isPartOfWord) || scalar == "_" else {
            throw failure("an escape")
        }
        position += 1
        return scalar
    }

    /// What follows an opening bracket.
    private mutating func characterClass() throws(ModuleExpressionError) -> (Unicode.Scalar) -> Bool {
        let isInverted = take("^")
        var tests: [(Unicode.Scalar) -> Bool] = []
        let first = position
        while position == first || next != "]" {
            guard let scalar = next else { throw failure("a '[' without its ']'") }
            if scalar == "\\", position + 1 < scalars.count, "dDwWsS".unicodeScalars.contains(scalars[position + 1]) {
                position += 1
                tests.append(try escapedClass())
                continue
            }
            let low = try classMember()
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                tests.append { $0 == low }
                continue
            }
            position += 1
            let high = try classMember()
            guard low <= high else { throw failure("a range of characters that ends before it begins") }
            tests.append { (low...high).contains($0) }
        }
        position += 1
        return { [tests] scalar in tests.contains { $0(scalar) } != isInverted }
    }

    private mutating func classMember() throws(ModuleExpressionError) -> Unicode.Scalar {
        if take("\\") { return try escapedSign() }
        guard let scalar = next else { throw failure("a '[' without its ']'") }
        position += 1
        return scalar
    }
}
