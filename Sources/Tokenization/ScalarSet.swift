/// A set of scalars as a pattern names it: a bitmap of ASCII, classes of the rest, and single ranges.
struct ScalarSet: Sendable, Equatable {
    /// Bit `i` is set for the ASCII scalar `i`.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var classes: UnicodeClasses.Mask = 0
    /// Outside ASCII, beside the classes.
    private var ranges: [ClosedRange<UInt32>] = []
    /// Whether what is outside ASCII is what classes and ranges do not hold.
    private var isInverted = false

    /// The set of the scalars outside ASCII in some classes, and of those inside it that fulfil a condition.
    init(classes: UnicodeClasses.Mask = 0, ascii: (UInt8) -> Bool = { _ in false }) {
        self.classes = classes
        for byte in UInt8(0)..<128 where ascii(byte) { insert(ascii: byte) }
    }

    /// The set of all scalars in a range.
    init(_ range: ClosedRange<UInt32>) { insert(range) }

    static let all = ScalarSet().inverted

    @inline(__always)
    func contains(ascii byte: UInt8) -> Bool {
        (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 != 0
    }

    @inline(__always)
    func contains(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else { return contains(ascii: UInt8(truncatingIfNeeded: scalar.value)) }
        return containsBeyondASCII(scalar)
    }

    private func containsBeyondASCII(_ scalar: Unicode.Scalar) -> Bool {
        let isListed =
            classes & UnicodeClasses.mask(scalar) != 0
            || (!ranges.isEmpty && ranges.contains { $0.contains(scalar.value) })
        return isListed != isInverted
    }

    private mutating func insert(ascii byte: UInt8) {
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
    }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        for value in range.clamped(to: 0...0x7F) where range.contains(value) {
            insert(ascii: UInt8(truncatingIfNeeded: value))
        }
        if range.upperBound >= 0x80 { ranges.append(max(range.lowerBound, 0x80)...range.upperBound) }
    }

    /// Adds all of another set; nil if the two cannot be one, because one of them is a complement with ranges.
    func union(_ other: ScalarSet) -> ScalarSet? {
        var result = self
        var other = other
        result.resolveInversion()
        other.resolveInversion()
        guard !result.isInverted, !other.isInverted else { return nil }
        result.low |= other.low
        result.high |= other.high
        result.classes |= other.classes
        result.ranges += other.ranges
        return result
    }

    var inverted: ScalarSet {
        var result = self
        result.low = ~low
        result.high = ~high
        result.isInverted.toggle()
        return result
    }

    /// A complement of classes alone is the other classes.
    private mutating func resolveInversion() {
        guard isInverted, ranges.isEmpty else { return }
        classes = ~classes
        isInverted = false
    }
}

extension ScalarSet {
    static let whiteSpace = ScalarSet(classes: UnicodeClasses.whiteSpace) { $0 == 0x20 || (0x09...0x0D).contains($0) }

    static let digit = ScalarSet(classes: UnicodeClasses.decimal) { (0x30...0x39).contains($0) }

    /// Oniguruma's `\w`: letters, marks, digits and connectors, and the superscripts and fractions of Latin-1.
    static let word: ScalarSet = {
        var set = ScalarSet(classes: UnicodeClasses.word) {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x5F
        }
        for range: ClosedRange<UInt32> in [0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE] { set.insert(range) }
        return set
    }()

    /// The set of a general category, or group of them, by its short name; nil if there is none of this name.
    init?(category name: String) {
        guard let mask = UnicodeClasses.mask(named: name) else { return nil }
        self.init(classes: mask) { UnicodeClasses.mask(ofASCII: $0) & mask != 0 }
    }
}

extension UnicodeClasses {
    /// The class of an ASCII scalar.
    fileprivate static func mask(ofASCII byte: UInt8) -> Mask {
        1 << Mask(number(of: Unicode.Scalar(byte).properties.generalCategory))
    }
}
