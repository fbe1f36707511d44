/// Scalars in bytes that are known to be UTF-8.
enum UTF8Text {
    /// The scalar that starts at `position`, and how many bytes it has.
    @inline(__always)
    static func scalar(at position: Int, in bytes: [UInt8]) -> (scalar: Unicode.Scalar, length: Int) {
        let first = bytes[position]
        guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
        return multibyteScalar(at: position, in: bytes)
    }

    private static func multibyteScalar(
        at position: Int, in bytes: [UInt8]
    ) -> (scalar: Unicode.Scalar, length: Int) {
        let first = UInt32(bytes[position])
        func tail(_ offset: Int) -> UInt32 {
            position + offset < bytes.count ? UInt32(bytes[position + offset] & 0x3F) : 0
        }
        let (value, length): (UInt32, Int) =
            switch first {
            case 0xC0..<0xE0: ((first & 0x1F) << 6 | tail(1), 2)
            case 0xE0..<0xF0: ((first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3)
            default: ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
            }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    /// How many bytes the scalar has that starts with this byte.
    @inline(__always)
    static func length(first byte: UInt8) -> Int {
        switch byte {
        case 0..<0xC0: 1
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        default: 4
        }
    }

    /// The position of the scalar before `position`.
    @inline(__always)
    static func start(before position: Int, in bytes: [UInt8]) -> Int {
        var start = position - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    @inline(__always)
    static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        guard scalar.value >= 0x80 else {
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            return
        }
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { bytes.append(byte) }
    }
}
