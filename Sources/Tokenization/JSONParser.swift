/// Where and why a text is not JSON.
struct JSONSyntaxError: Error {
    let offset: Int
    let message: String
}

/// A strict parser of JSON (RFC 8259) over bytes that are known to be UTF-8.
///
/// Strings without escapes are slices of the file, so that a vocabulary of a hundred thousand tokens costs no copy.
struct JSONParser {
    private let bytes: [UInt8]
    private var position: Int

    /// Deeper nesting is refused, so that a hostile file cannot exhaust the stack.
    private static let depthLimit = 64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The one value that the bytes hold, with white space around it.
    mutating func wholeValue() throws(JSONSyntaxError) -> JSON {
        let value = try value(depth: 0)
        guard next() == nil else { throw unexpected("the end") }
        return value
    }

    /// The next byte that is no white space, without taking it; nil at the end.
    private mutating func next() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = next(), byte == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func unexpected(_ expected: String) -> JSONSyntaxError {
        guard position < bytes.count else {
            return JSONSyntaxError(offset: bytes.count, message: "it ends where \(expected) is expected")
        }
        let found = TokenizationError.quoted(bytes[position...].prefix(12))
        return JSONSyntaxError(offset: position, message: "found \(found), expected \(expected)")
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth < Self.depthLimit else {
            throw JSONSyntaxError(offset: position, message: "nested deeper than \(Self.depthLimit)")
        }
        switch next() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONSyntaxError) -> JSON {
        let spelling = "\(word)"
        guard bytes[position...].starts(with: spelling.utf8) else { throw unexpected(spelling) }
        position += spelling.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        if take("}") { return .object(members) }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
            let key = try string()
            guard take(":") else { throw unexpected("a colon") }
            members.append(JSON.Member(key: key, value: try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw unexpected("a comma or }") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSON {
        position += 1
        var values: [JSON] = []
        if take("]") { return .array(values) }
        repeat {
            values.append(try value(depth: depth + 1))
        } while take(",")
        guard take("]") else { throw unexpected("a comma or ]") }
        return .array(values)
    }

    private mutating func digits() -> Int {
        let first = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        return position - first
    }

    private mutating func number() throws(JSONSyntaxError) -> ArraySlice<UInt8> {
        let start = position
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let leading = position
        let wholeDigits = digits()
        guard wholeDigits == 1 || (wholeDigits > 1 && bytes[leading] != UInt8(ascii: "0")) else {
            position = start
            throw unexpected("a JSON value")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw unexpected("a digit") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits() > 0 else { throw unexpected("a digit") }
        }
        return bytes[start..<position]
    }

    private mutating func string() throws(JSONSyntaxError) -> ArraySlice<UInt8> {
        position += 1
        var start = position
        var unescaped: [UInt8] = []
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let rest = bytes[start..<position]
                position += 1
                return unescaped.isEmpty ? rest : (unescaped + rest)[...]
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: bytes[start..<position])
                UTF8Text.append(try escape(), to: &unescaped)
                start = position
            case 0..<0x20:
                throw JSONSyntaxError(offset: position, message: "a control character inside a string")
            default:
                position += 1
            }
        }
        throw JSONSyntaxError(offset: bytes.count, message: "a string without its closing quote")
    }

    /// The scalar of the escape at the position, which is a backslash.
    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = position
        position += 2
        guard position <= bytes.count else { throw JSONSyntaxError(offset: start, message: "an unfinished escape") }
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        default: throw JSONSyntaxError(offset: start, message: "an escape that JSON does not have")
        }
    }

    /// The scalar of `\uXXXX`, or of two of them that are a surrogate pair; the position is behind the first `u`.
    private mutating func unicodeEscape(from start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        let halfPair = JSONSyntaxError(offset: start, message: "half of a surrogate pair")
        var unit = try hexadecimal(from: start)
        if unit & 0xFC00 == 0xD800 {
            guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { throw halfPair }
            position += 2
            let low = try hexadecimal(from: start)
            guard low & 0xFC00 == 0xDC00 else { throw halfPair }
            unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(unit) else { throw halfPair }
        return scalar
    }

    /// Four hexadecimal digits; `start` is where the escape began.
    private mutating func hexadecimal(from start: Int) throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw JSONSyntaxError(offset: start, message: "\\u without four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
