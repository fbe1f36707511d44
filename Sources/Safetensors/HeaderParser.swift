import Diagnostics

/// Reads the header of a safetensors file: JSON of a fixed shape, whatever its bytes are.
///
/// The shape is `{"__metadata__": {text: text} or null, name: {"dtype": text, "shape": [count], "data_offsets": [from, to]}}`.
/// Nothing else is accepted, nothing nests deeper, and a name that stands twice is an error.
struct HeaderParser {
    struct Entry {
        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?
    }

    /// What was wrong, and where in the header.
    struct Failure: Error {
        let reason: String
        let offset: Int
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [(name: String, entry: Entry)] = []

    init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        self.bytes = bytes
        if let offset = UnsortableText.offset(in: bytes) {
            throw Failure(reason: UnsortableText.complaint(offset: offset), offset: offset)
        }
        var names = Set<String>()
        try object { (parser: inout HeaderParser, name: String) throws(Failure) in
            guard names.insert(name).inserted else { throw parser.failure("'\(name)' stands twice") }
            if name == "__metadata__" {
                if parser.take("null") { return }
                try parser.object { (parser: inout HeaderParser, key: String) throws(Failure) in
                    let value = try parser.string()
                    guard parser.metadata.updateValue(value, forKey: key) == nil else {
                        throw parser.failure("metadata key '\(key)' stands twice")
                    }
                }
            } else {
                let entry = try parser.tensorEntry()
                parser.entries.append((name, entry))
            }
        }
        skipSpace()
        guard position == bytes.count else { throw failure("more text after the object") }
    }

    private mutating func tensorEntry() throws(Failure) -> Entry {
        var entry = Entry()
        try object { (parser: inout HeaderParser, key: String) throws(Failure) in
            switch key {
            case "dtype" where entry.dtype == nil: entry.dtype = try parser.string()
            case "shape" where entry.shape == nil: entry.shape = try parser.counts()
            case "data_offsets" where entry.offsets == nil: entry.offsets = try parser.counts()
            default: throw parser.failure("unexpected or repeated key '\(key)'")
            }
        }
        return entry
    }

    private mutating func object(
        _ member: (inout HeaderParser, String) throws(Failure) -> Void
    ) throws(Failure) {
        try expect(UInt8(ascii: "{"))
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        while true {
            let key = try string()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            try member(&self, key)
            skipSpace()
            if take(UInt8(ascii: "}")) { return }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func counts() throws(Failure) -> [Int] {
        var counts: [Int] = []
        try expect(UInt8(ascii: "["))
        skipSpace()
        if take(UInt8(ascii: "]")) { return counts }
        while true {
            skipSpace()
            var value = 0
            let start = position
            while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
                let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, stillTooLarge) = product.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
                guard !tooLarge, !stillTooLarge else { throw failure("a number too large to count with") }
                value = sum
                position += 1
            }
            guard position > start else { throw failure("expected a whole number from 0") }
            guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
                throw failure("a number with a leading zero")
            }
            counts.append(value)
            skipSpace()
            if take(UInt8(ascii: "]")) { return counts }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func string() throws(Failure) -> String {
        skipSpace()
        try expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw failure("a text that does not end") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw failure("a text that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw failure("a control character in a text")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        guard position < bytes.count else { throw failure("a text that does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                else { throw failure("half of a surrogate pair") }
                position += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
            return Array(String(scalar).utf8)
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count,
                let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
            else { throw failure("expected four hexadecimal digits") }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[position..<end].elementsEqual(
                UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { return false }
        position = end
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        skipSpace()
        guard take(byte) else { throw failure("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }
}
