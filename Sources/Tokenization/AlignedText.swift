/// Where in the original text something comes from, in scalars.
struct Origin: Sendable, Equatable {
    var start: Int32
    var end: Int32
}

/// A text on its way through the pipeline, as UTF-8, and where in the original each byte of it comes from.
///
/// The tokenizers library's `NormalizedString`. Origins cost time and are kept only where somebody asks for them.
struct AlignedText {
    var bytes: [UInt8]
    /// One for each byte; empty where they are not kept.
    var origins: [Origin]
    let keepsOrigins: Bool
    /// Where in the original this text starts, in scalars; what is inserted before everything comes from there.
    var shift: Int32

    /// The original text.
    init(_ bytes: [UInt8], keepsOrigins: Bool) {
        self.bytes = bytes
        self.keepsOrigins = keepsOrigins
        shift = 0
        origins = []
        guard keepsOrigins else { return }
        origins.reserveCapacity(bytes.count)
        var scalar: Int32 = -1
        for byte in bytes {
            if byte & 0xC0 != 0x80 { scalar += 1 }
            origins.append(Origin(start: scalar, end: scalar + 1))
        }
    }

    /// An empty text that will be filled from another.
    init(derivedFrom other: AlignedText) {
        bytes = []
        bytes.reserveCapacity(other.bytes.count + other.bytes.count / 8 + 16)
        origins = []
        keepsOrigins = other.keepsOrigins
        shift = other.shift
    }

    var isEmpty: Bool { bytes.isEmpty }

    /// A part of the text as one of its own.
    func slice(_ range: Range<Int>) -> AlignedText {
        var result = self
        guard range != 0..<bytes.count else {
            result.shift = start(of: range)
            return result
        }
        result.bytes = Array(bytes[range])
        if keepsOrigins { result.origins = Array(origins[range]) }
        result.shift = start(of: range)
        return result
    }

    /// Where in the original a range starts; in bytes where no origins are kept, which is right for a text that was not changed.
    func start(of range: Range<Int>) -> Int32 {
        guard keepsOrigins else { return shift + Int32(truncatingIfNeeded: range.lowerBound) }
        return range.lowerBound < origins.count ? origins[range.lowerBound].start : shift
    }

    /// Where in the original a range comes from.
    func origin(of range: Range<Int>) -> Origin {
        let range = range.clamped(to: 0..<origins.count)
        guard !range.isEmpty else { return Origin(start: shift, end: shift) }
        return Origin(start: origins[range.lowerBound].start, end: origins[range.upperBound - 1].end)
    }

    /// Appends a range of another text as it is.
    mutating func append(_ other: AlignedText, _ range: Range<Int>) {
        bytes.append(contentsOf: other.bytes[range])
        if keepsOrigins { origins.append(contentsOf: other.origins[range]) }
    }

    /// Appends a scalar that comes from where a byte of another text comes from.
    @inline(__always)
    mutating func append(_ scalar: Unicode.Scalar, from other: AlignedText, at position: Int) {
        UTF8Text.append(scalar, to: &bytes)
        if keepsOrigins { fill(with: position < 0 ? Origin(start: shift, end: shift) : other.origins[position]) }
    }

    /// Appends a text all of which comes from where a byte of another text comes from.
    mutating func append(_ text: [UInt8], from other: AlignedText, at position: Int) {
        bytes.append(contentsOf: text)
        if keepsOrigins { fill(with: position < 0 ? Origin(start: shift, end: shift) : other.origins[position]) }
    }

    /// Gives the bytes that have no origin yet this one.
    private mutating func fill(with origin: Origin) {
        while origins.count < bytes.count { origins.append(origin) }
    }
}

extension AlignedText {
    /// What becomes of a scalar: the tokenizers library's `(char, isize)`.
    struct Change {
        var scalar: Unicode.Scalar
        /// 0: it takes the place of the next scalar of the old text; n > 0: it is inserted; -n: it takes the place of the next,
        /// and n more go.
        var change: Int
    }

    /// The text that a list of changes makes of this one.
    ///
    /// Origins are as that library has them, also where it loses count: an inserted scalar comes from where the old scalar
    /// before it comes from.
    func applying(_ changes: [Change]) -> AlignedText {
        var result = AlignedText(derivedFrom: self)
        var offset = 0
        for item in changes {
            result.append(item.scalar, from: self, at: item.change > 0 ? offset - 1 : min(offset, bytes.count - 1))
            guard keepsOrigins, item.change <= 0 else { continue }
            for _ in 0...(-item.change) where offset < bytes.count { offset += UTF8Text.length(first: bytes[offset]) }
        }
        return result
    }

    /// Calls a closure with each scalar and its range.
    @inline(__always)
    func forEachScalar(_ body: (Unicode.Scalar, Range<Int>) -> Void) {
        var position = 0
        while position < bytes.count {
            let (scalar, length) = UTF8Text.scalar(at: position, in: bytes)
            body(scalar, position..<position + length)
            position += length
        }
    }

    /// The position of the first byte outside ASCII; the end if there is none.
    var asciiEnd: Int { bytes.firstIndex { $0 >= 0x80 } ?? bytes.count }
}
