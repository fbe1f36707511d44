import Foundation

/// Unicode's decompositions, compositions and combining classes, as far as the tokenizers library knows them: up to
/// Unicode 9.
///
/// A scalar that a later version assigned has none of them and is never reordered.
struct CanonicalTables: Sendable {
    /// What a scalar decomposes into where that is not itself: canonically, and for compatibility.
    private let canonical: [UInt32: [Unicode.Scalar]]
    private let compatible: [UInt32: [Unicode.Scalar]]
    /// What two scalars compose to, keyed by both.
    private let compositions: [UInt64: Unicode.Scalar]

    static let shared = CanonicalTables()

    /// All scalars that decompose lie in these ranges.
    private static let candidates: [ClosedRange<UInt32>] = [
        0xA0...0x1FFF, 0x2000...0x33FF, 0xA69C...0xA7FF, 0xAB5C...0xAB69, 0xF900...0xFFFF, 0x10780...0x107BF,
        0x11000...0x11FFF, 0x1D100...0x1D7FF, 0x1EE00...0x1EEFF, 0x1F100...0x1F2FF, 0x2F800...0x2FA1F,
    ]

    private init() {
        var canonical: [UInt32: [Unicode.Scalar]] = [:]
        var compatible: [UInt32: [Unicode.Scalar]] = [:]
        var compositions: [UInt64: Unicode.Scalar] = [:]
        for value in Self.candidates.joined() {
            guard let scalar = Unicode.Scalar(value), UnicodeClasses.isAssigned(scalar, in: 9) else { continue }
            let text = String(scalar)
            let full = Array(text.decomposedStringWithCompatibilityMapping.unicodeScalars)
            guard full != [scalar] else { continue }
            compatible[value] = full
            let parts = Array(text.decomposedStringWithCanonicalMapping.unicodeScalars)
            guard parts != [scalar] else { continue }
            canonical[value] = parts
            // A composite is its last mark on what the rest composes to, unless Unicode excludes it from composition.
            guard parts.count > 1, Array(text.precomposedStringWithCanonicalMapping.unicodeScalars) == [scalar] else {
                continue
            }
            let rest = String(String.UnicodeScalarView(parts.dropLast())).precomposedStringWithCanonicalMapping
                .unicodeScalars
            if rest.count == 1, let first = rest.first, let last = parts.last {
                compositions[Self.key(first, last)] = scalar
            }
        }
        self.canonical = canonical
        self.compatible = compatible
        self.compositions = compositions
    }

    private static func key(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt64 {
        UInt64(first.value) << 32 | UInt64(second.value)
    }

    /// The combining class: 0 for what starts a character.
    static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        guard scalar.value >= 0x300 else { return 0 }
        let value = scalar.properties.canonicalCombiningClass.rawValue
        return value != 0 && UnicodeClasses.isAssigned(scalar, in: 9) ? value : 0
    }

    private static let (hangul, leading, vowel, trailing) = (
        0xAC00 as UInt32, 0x1100 as UInt32, 0x1161 as UInt32, 0x11A7 as UInt32
    )

    /// Calls a closure with what a scalar decomposes into, all the way.
    @inline(__always)
    func decompose(_ scalar: Unicode.Scalar, isCompatible: Bool, _ body: (Unicode.Scalar) -> Void) {
        guard scalar.value >= 0xA0 else { return body(scalar) }
        if (Self.hangul..<Self.hangul + 11_172).contains(scalar.value) {
            for part in Self.jamo(of: scalar.value - Self.hangul) { body(part) }
        } else if let parts = (isCompatible ? compatible : canonical)[scalar.value] {
            for part in parts { body(part) }
        } else {
            body(scalar)
        }
    }

    private static func jamo(of index: UInt32) -> [Unicode.Scalar] {
        let values = [leading + index / 588, vowel + index % 588 / 28, trailing + index % 28]
        return values.prefix(index % 28 == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
    }

    /// What two neighbours compose to; nil if they stay two.
    func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        let (a, b) = (first.value, second.value)
        if (Self.leading..<Self.leading + 19).contains(a), (Self.vowel..<Self.vowel + 21).contains(b) {
            return Unicode.Scalar(Self.hangul + (a - Self.leading) * 588 + (b - Self.vowel) * 28)
        }
        if (Self.hangul..<Self.hangul + 11_172).contains(a), (a - Self.hangul) % 28 == 0,
            (Self.trailing + 1..<Self.trailing + 28).contains(b)
        {
            return Unicode.Scalar(a + b - Self.trailing)
        }
        return compositions[Self.key(first, second)]
    }
}
