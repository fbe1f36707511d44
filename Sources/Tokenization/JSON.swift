import Diagnostics

/// A JSON value as it was written.
///
/// Text is kept as bytes, because Swift's `String` takes canonically equivalent texts ("é" written with one scalar or with
/// two) for the same one, and they are two tokens of a vocabulary. Numbers keep their spelling.
enum JSON {
    struct Member {
        let key: ArraySlice<UInt8>
        let value: JSON
    }

    case object([Member])
    case array([JSON])
    case string(ArraySlice<UInt8>)
    case number(ArraySlice<UInt8>)
    case boolean(Bool)
    case null

    /// The member of an object with this key (the last, if there are several); nil if there is none, if it is null, or if
    /// this is no object.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self,
            let value = members.last(where: { $0.key.elementsEqual(key.utf8) })?.value
        else { return nil }
        if case .null = value { return nil }
        return value
    }

    var bytes: ArraySlice<UInt8>? {
        if case .string(let value) = self { value } else { nil }
    }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    var integer: Int? {
        if case .number(let spelling) = self { Int(String(decoding: spelling, as: UTF8.self)) } else { nil }
    }

    /// The double that Rust's serde_json reads: the digits as a whole number, times or by a power of ten. That is the nearest
    /// one or the next to it, and it decides which of two equally good ways to put a word together is taken.
    ///
    /// nil if it is no number, or one too large.
    var double: Double? {
        guard case .number(let spelling) = self else { return nil }
        var (digits, exponent, isFraction, isFull) = (UInt64(0), 0, false, false)
        var rest = spelling
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
            rest.removeFirst()
            guard byte != UInt8(ascii: ".") else {
                isFraction = true
                continue
            }
            let (product, overflows) = digits.multipliedReportingOverflow(by: 10)
            let (sum, alsoOverflows) = product.addingReportingOverflow(UInt64(byte & 0x0F))
            isFull = isFull || overflows || alsoOverflows
            if !isFull {
                digits = sum
                if isFraction { exponent -= 1 }
            } else if !isFraction {
                exponent += 1
            }
        }
        if !rest.isEmpty {
            guard let written = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(written) < 1_000_000 else {
                return digits == 0 ? 0 : nil
            }
            exponent += written
        }
        var value = Double(digits)
        while value != 0, exponent < -308 {
            value /= 1e308
            exponent += 308
        }
        if value != 0, exponent > 308 { return nil }
        if value != 0, let power = Double("1e\(abs(exponent))") { value = exponent < 0 ? value / power : value * power }
        guard value.isFinite else { return nil }
        return isNegative ? -value : value
    }

    var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    var elements: [JSON]? {
        if case .array(let values) = self { values } else { nil }
    }

    var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// What this is, for a message.
    var kindName: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string(let bytes): TokenizationError.quoted(bytes)
        case .number(let spelling): String(decoding: spelling.prefix(20), as: UTF8.self)
        case .boolean(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}

extension SourceFile {
    /// The JSON object that the file holds.
    ///
    /// - Throws: `badData` with the line if it is not JSON in UTF-8, or no object.
    func jsonObject() throws(TokenizationError) -> JSON {
        let file = try checkedAsText()
        var parser = JSONParser(file.bytes)
        let value: JSON
        do {
            value = try parser.wholeValue()
        } catch {
            let line = 1 + bytes[..<min(error.offset, bytes.count)].count { $0 == UInt8(ascii: "\n") }
            throw TokenizationError(.badData, "\(path):\(line): not JSON: \(error.message)")
        }
        guard case .object = value else {
            throw TokenizationError(.badData, "\(path): \(value.kindName), expected a JSON object")
        }
        return value
    }
}
