import Diagnostics

/// Where and why a text is not JSON.
package struct JSONSyntaxError: Error {
    /// The position in the bytes that were given to the parser.
    package let offset: Int
    package let message: String
}

/// A strict parser of JSON (RFC 8259) over bytes that are known to be UTF-8.
package struct JSONParser {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    /// Deeper nesting is refused, so that a hostile file cannot exhaust the stack.
    private static let depthLimit = 64

    /// The one value that a range of the bytes holds, with white space around it.
    package static func parse(_ bytes: [UInt8], in range: Range<Int>) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(bytes, range)
        let value = try parser.value(depth: 0)
        guard parser.next() == nil else { throw parser.unexpected("the end") }
        return value
    }

    /// Whether there is nothing but white space.
    package static func isBlank(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        let range = range.clamped(to: 0..<bytes.count)
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next byte that is no white space, without taking it; nil at the end.
    private mutating func next() -> UInt8? {
        while position < end {
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
        guard position < end else {
            return JSONSyntaxError(offset: end, message: "it ends where \(expected) is expected")
        }
        let found = String(decoding: bytes[position..<end].prefix(12), as: UTF8.self)
        return JSONSyntaxError(offset: position, message: "found \(quoted(found)), expected \(expected)")
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
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

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position..<end].starts(with: word.utf8) else { throw unexpected(word) }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        if take("}") { return .object(members) }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
            let key = try string()
            guard UnsortableText.offset(in: key.utf8) == nil else { throw unexpected("a key of letters") }
            guard take(":") else { throw unexpected("a colon") }
            members.append(JSONValue.Member(key: key, value: try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw unexpected("a comma or }") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        if take("]") { return .array(values) }
        repeat {
            values.append(try value(depth: depth + 1))
        } while take(",")
        guard take("]") else { throw unexpected("a comma or ]") }
        return .array(values)
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = position
        func digits(_ position: inout Int) -> Int {
            let first = position
            while position < end, (0x30...0x39).contains(bytes[position]) { position += 1 }
            return position - first
        }
        if position < end, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let leading = position
        let wholeDigits = digits(&position)
        guard wholeDigits == 1 || (wholeDigits > 1 && bytes[leading] != UInt8(ascii: "0")) else {
            position = start
            throw unexpected("a JSON value")
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits(&position) > 0 else { throw unexpected("a digit") }
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits(&position) > 0 else { throw unexpected("a digit") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        var start = position
        var content: [UInt8] = []
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                content.append(contentsOf: bytes[start..<position])
                position += 1
                return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                content.append(contentsOf: bytes[start..<position])
                let scalar = try escape()
                content.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                start = position
            case 0..<0x20:
                throw JSONSyntaxError(offset: position, message: "a control character inside a string")
            default:
                position += 1
            }
        }
        throw JSONSyntaxError(offset: end, message: "a string without its closing quote")
    }

    /// The scalar of the escape at the position, which is a backslash.
    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = position
        position += 2
        guard position <= end else { throw JSONSyntaxError(offset: start, message: "an unfinished escape") }
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var unit = try hexadecimal(from: start)
            if unit & 0xFC00 == 0xD800, bytes[position..<end].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
                position += 2
                let low = try hexadecimal(from: start)
                guard low & 0xFC00 == 0xDC00 else {
                    throw JSONSyntaxError(offset: start, message: "half of a surrogate pair")
                }
                unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(unit) else {
                throw JSONSyntaxError(offset: start, message: "half of a surrogate pair")
            }
            return scalar
        default: throw JSONSyntaxError(offset: start, message: "an escape that JSON does not have")
        }
    }

    /// Four hexadecimal digits; `start` is where the escape began.
    private mutating func hexadecimal(from start: Int) throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < end, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw JSONSyntaxError(offset: start, message: "\\u without four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
