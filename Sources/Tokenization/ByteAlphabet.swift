/// The 256 printable characters that stand for bytes in GPT-2's vocabulary and its followers'.
///
/// Printable bytes of Latin-1 stand for themselves; the other 68 are, in order, U+0100 and what follows.
enum ByteAlphabet {
    private static func isPrintable(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
    }

    /// The character of each byte.
    static let scalars: [Unicode.Scalar] = {
        var others: UInt32 = 0x100
        return (0...255).map { (byte: UInt8) in
            if isPrintable(byte) { return Unicode.Scalar(byte) }
            defer { others += 1 }
            return Unicode.Scalar(others) ?? "\u{FFFD}"
        }
    }()

    /// The same in UTF-8, in the low bytes: one if the high one is zero, otherwise two.
    static let spellings: [(first: UInt8, second: UInt8)] = scalars.map { scalar in
        let bytes = Array(String(scalar).utf8)
        return (bytes[0], bytes.count > 1 ? bytes[1] : 0)
    }

    private static let bytes: [UInt32: UInt8] = Dictionary(
        uniqueKeysWithValues: scalars.enumerated().map { ($1.value, UInt8(truncatingIfNeeded: $0)) })

    /// The byte that a character stands for.
    static func byte(of scalar: Unicode.Scalar) -> UInt8? { bytes[scalar.value] }

    /// Whether a character stands for the space, or is white space itself.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == "\u{120}" || UnicodeClasses.isWhiteSpace(scalar) }

    /// Appends the characters of a byte.
    @inline(__always)
    static func append(_ byte: UInt8, _ spellings: [(first: UInt8, second: UInt8)], to result: inout [UInt8]) {
        let spelling = spellings[Int(byte)]
        result.append(spelling.first)
        if spelling.second != 0 { result.append(spelling.second) }
    }

    /// A text with each byte as its character.
    static func spelled(_ text: AlignedText) -> AlignedText {
        var result = AlignedText(derivedFrom: text)
        let spellings = spellings
        for (index, byte) in text.bytes.enumerated() {
            append(byte, spellings, to: &result.bytes)
            guard text.keepsOrigins else { continue }
            while result.origins.count < result.bytes.count { result.origins.append(text.origins[index]) }
        }
        return result
    }
}
