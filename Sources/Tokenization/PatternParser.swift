/// Why a pattern cannot be used.
struct PatternError: Error { let message: String }

/// Reads the spelling of a pattern.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false

    private static let depthLimit = 32
    private static let lengthLimit = 4_096

    static func parse(_ spelling: String) throws(PatternError) -> PatternSyntax {
        var parser = PatternParser(spelling)
        guard parser.scalars.count <= lengthLimit else {
            throw PatternError(message: "it is longer than \(lengthLimit) characters")
        }
        let syntax = try parser.alternatives(depth: 0)
        guard parser.position == parser.scalars.count else { throw PatternError(message: "a ) without its (") }
        return syntax
    }

    private init(_ spelling: String) { scalars = Array(spelling.unicodeScalars) }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ spelling: String) -> Bool {
        guard scalars[position...].starts(with: spelling.unicodeScalars) else { return false }
        position += spelling.unicodeScalars.count
        return true
    }

    private func unknown(_ what: String) -> PatternError {
        PatternError(message: "\(what) at its character \(position) is not known here")
    }

    private mutating func alternatives(depth: Int) throws(PatternError) -> PatternSyntax {
        guard depth < Self.depthLimit else { throw PatternError(message: "its groups are nested too deeply") }
        var parts: [PatternSyntax] = []
        repeat { parts.append(try sequence(depth: depth)) } while take("|")
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence(depth: Int) throws(PatternError) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            parts.append(try repetition(of: try atom(depth: depth)))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// The quantifier behind an atom.
    private mutating func repetition(of atom: PatternSyntax) throws(PatternError) -> PatternSyntax {
        let counts: Range<Int>
        var isCounted = false
        if take("?") {
            counts = 0..<2
        } else if take("*") {
            counts = 0..<Self.end
        } else if take("+") {
            counts = 1..<Self.end
        } else if take("{") {
            counts = try braces()
            isCounted = true
        } else {
            return atom
        }
        if case .lookahead = atom { throw unknown("a repeated look-ahead") }
        if next == "?" { throw unknown("a quantifier that is not greedy") }
        if next == "*" || next == "{" || (next == "+" && isCounted) { throw unknown("a quantifier of a quantifier") }
        return .repetition(atom, counts, isPossessive: take("+"))
    }

    private static var end: Int { PatternSyntax.unlimited + 1 }

    /// `{m}`, `{m,}`, `{m,n}` or `{,n}`; the brace was taken.
    private mutating func braces() throws(PatternError) -> Range<Int> {
        func number() -> Int? {
            var value: Int?
            while let scalar = next, let digit = Character(scalar).wholeNumberValue, scalar.isASCII {
                value = min((value ?? 0) * 10 + digit, 1_000)
                position += 1
            }
            return value
        }
        let least = number()
        let hasComma = take(",")
        let most = hasComma ? number() : least
        guard take("}"), least != nil || most != nil else { throw unknown("a brace that is no quantifier") }
        let range = (least ?? 0)...max(least ?? 0, most ?? (hasComma ? PatternSyntax.unlimited : 0))
        if let least, let most, most < least { throw unknown("a quantifier whose end is before its beginning") }
        return range.lowerBound..<range.upperBound + 1
    }

    private mutating func atom(depth: Int) throws(PatternError) -> PatternSyntax {
        if take("(?i:") {
            let outer = ignoresCase
            ignoresCase = true
            defer { ignoresCase = outer }
            return try group(depth: depth)
        }
        if take("(?!") { return .lookahead(try group(depth: depth), isNegative: true) }
        if take("(?=") { return .lookahead(try group(depth: depth), isNegative: false) }
        if take("(?:") { return try group(depth: depth) }
        if scalars[position...].starts(with: "(?".unicodeScalars) { throw unknown("a group of this kind") }
        if take("(") { return try group(depth: depth) }
        if take("[") { return .set(try bracketed()) }
        if take(".") { return .set(ScalarSet(0x0A...0x0A).inverted) }
        guard let scalar = next else { throw unknown("an end") }
        if scalar == "\\" { return .set(try escaped()) }
        if "^$*+?{".unicodeScalars.contains(scalar) { throw unknown("\"\(scalar)\"") }
        position += 1
        return .set(literal(scalar))
    }

    private mutating func group(depth: Int) throws(PatternError) -> PatternSyntax {
        let content = try alternatives(depth: depth + 1)
        guard take(")") else { throw PatternError(message: "a ( without its )") }
        return content
    }

    /// One scalar; with the others of its letter where case does not count.
    private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
        var set = ScalarSet(scalar.value...scalar.value)
        guard ignoresCase else { return set }
        let properties = scalar.properties
        for mapping in [properties.lowercaseMapping, properties.uppercaseMapping] {
            if mapping.unicodeScalars.count == 1, let other = mapping.unicodeScalars.first {
                set.insert(other.value...other.value)
            }
        }
        // Letters outside ASCII whose case folding is an ASCII letter.
        if scalar == "s" || scalar == "S" { set.insert(0x17F...0x17F) }
        if scalar == "k" || scalar == "K" { set.insert(0x212A...0x212A) }
        return set
    }

    /// The set behind a backslash.
    private mutating func escaped() throws(PatternError) -> ScalarSet {
        position += 1
        guard let scalar = next else { throw unknown("a backslash at the end") }
        position += 1
        switch scalar {
        case "s": return .whiteSpace
        case "S": return ScalarSet.whiteSpace.inverted
        case "d": return .digit
        case "D": return ScalarSet.digit.inverted
        case "w": return .word
        case "W": return ScalarSet.word.inverted
        case "p", "P": return try category(isInverted: scalar == "P")
        default:
            position -= 2
            return literal(try escapedScalar())
        }
    }

    private mutating func category(isInverted: Bool) throws(PatternError) -> ScalarSet {
        guard take("{") else { throw unknown("\\p without braces") }
        let negates = take("^")
        var name = ""
        while let scalar = next, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take("}"), let set = ScalarSet(category: name) else { throw unknown("the class \\p{\(name)}") }
        return isInverted != negates ? set.inverted : set
    }

    /// The one scalar that a backslash and what follows stand for.
    private mutating func escapedScalar() throws(PatternError) -> Unicode.Scalar {
        position += 1
        guard let scalar = next else { throw unknown("a backslash at the end") }
        position += 1
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "f": return "\u{C}"
        case "v": return "\u{B}"
        case "u": return try hexadecimal(digits: 4)
        case "x": return take("{") ? try bracedHexadecimal() : try hexadecimal(digits: 2)
        case "a"..."z", "A"..."Z", "0"..."9": throw unknown("the escape \\\(scalar)")
        default: return scalar
        }
    }

    private mutating func hexadecimal(digits: Int) throws(PatternError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = next, let digit = Character(scalar).hexDigitValue else { throw unknown("the escape") }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        guard let result = Unicode.Scalar(value) else { throw unknown("the escape") }
        return result
    }

    private mutating func bracedHexadecimal() throws(PatternError) -> Unicode.Scalar {
        var digits = 0
        while position + digits < scalars.count, scalars[position + digits] != "}" { digits += 1 }
        guard (1...6).contains(digits) else { throw unknown("the escape") }
        let scalar = try hexadecimal(digits: digits)
        guard take("}") else { throw unknown("the escape") }
        return scalar
    }

    /// A bracketed set; its opening bracket was taken.
    private mutating func bracketed() throws(PatternError) -> ScalarSet {
        let isInverted = take("^")
        var set = ScalarSet()
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if scalar == "[" || take("&&") { throw unknown("a set in a set") }
            guard let union = set.union(try bracketedItem(scalar)) else { throw unknown("a set of this kind") }
            set = union
        }
        guard take("]") else { throw PatternError(message: "a [ without its ]") }
        return isInverted ? set.inverted : set
    }

    /// One scalar, range or class of a bracketed set.
    private mutating func bracketedItem(_ scalar: Unicode.Scalar) throws(PatternError) -> ScalarSet {
        let first: Unicode.Scalar
        if scalar == "\\" {
            if position + 1 < scalars.count, "sSdDwWpP".unicodeScalars.contains(scalars[position + 1]) {
                return try escaped()
            }
            first = try escapedScalar()
        } else {
            position += 1
            first = scalar
        }
        guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else { return literal(first) }
        position += 1
        guard let end = next else { throw unknown("a range without its end") }
        let last: Unicode.Scalar
        if end == "\\" {
            last = try escapedScalar()
        } else {
            position += 1
            last = end
        }
        guard first.value <= last.value, !ignoresCase else { throw unknown("a range of this kind") }
        return ScalarSet(first.value...last.value)
    }
}
