extension UnicodeClasses {
    /// Unicode's `White_Space`.
    @inline(__always)
    static func isWhiteSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x80
            ? scalar.value == 0x20 || (0x09...0x0D).contains(scalar.value) : mask(scalar) & whiteSpace != 0
    }

    /// Every printable ASCII character that is neither letter nor digit, and Unicode's `P*`.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0..<0x80: return false
        case 0x166D, 0x111C9: return true  // Punctuation until Unicode 12 and 11.
        default: return mask(scalar) & punctuation != 0 && isAssigned(scalar, in: 8)
        }
    }

    /// Unicode's `N*`: what Rust calls numeric.
    static func isNumeric(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else { return (0x30...0x39).contains(scalar.value) }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return false
        }
    }

    /// `\w` of Rust's regular expressions: letters, marks, digits, connectors and joiners.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        case 0..<0x80: false
        case 0x200C, 0x200D: true
        default: mask(scalar) & word != 0
        }
    }

    /// Unicode's `Mn`: the accents that BERT's accent stripping takes away.
    static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x300: false
        case 0x1734, 0x1171E: true  // `Mc` since Unicode 14 and 15.
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false  // `Lo`, `Lo`, `Mc` and `Po` in Unicode 8.
        default: mask(scalar) & nonspacingMark != 0 && isAssigned(scalar, in: 8)
        }
    }

    /// Unicode's `M*`: what the normalizer StripAccents takes away.
    static func isCombiningMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x300: false
        case 0x1CF2, 0x1CF3: true  // `Lo` since Unicode 12.
        case 0x111C9: false  // `Po` in Unicode 9.
        default: mask(scalar) & mark != 0 && isAssigned(scalar, in: 9)
        }
    }

    /// Control, format and private-use characters, which BERT's clean-up removes, with NUL and the replacement character.
    static func isRemovedByCleanup(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: false
        case 0, 0xFFFD: true
        case 0x20...0x7E: false
        default:
            switch scalar.properties.generalCategory {
            case .control, .privateUse: true
            case .format: isAssigned(scalar, in: 8)
            default: false
            }
        }
    }

    /// The ideographs that BERT makes words of their own: the ranges of the original.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF: true
        case 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F: true
        default: false
        }
    }
}
