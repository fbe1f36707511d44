/// The classes of characters that BERT's tokenizer knows, as Hugging Face's `tokenizers` library has them.
///
/// That library's tables of general categories are those of Unicode 8.0. A scalar that a later version assigned is to it
/// neither punctuation nor a mark nor a format character, and five scalars have changed their category since. Its tables of
/// decompositions are those of Unicode 9.0. White space and letter case are those of the current Unicode.
enum BertCharacters {
    /// The version of Unicode that assigned a scalar is at most this.
    private static func isAssigned(_ scalar: Unicode.Scalar, in version: Int) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major <= version
    }

    /// Control, format and private-use characters, which the clean-up removes, with NUL and the replacement character.
    static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
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

    /// Unicode's `White_Space`.
    static func isWhiteSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x80
            ? scalar.value == 0x20 || (0x09...0x0D).contains(scalar.value) : scalar.properties.isWhitespace
    }

    /// Every printable ASCII character that is neither letter nor digit, and Unicode's `P*`.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0..<0x80: return false
        case 0x166D, 0x111C9: return true  // Punctuation until Unicode 12 and 11.
        default:
            switch scalar.properties.generalCategory {
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                .finalPunctuation, .otherPunctuation:
                return isAssigned(scalar, in: 8)
            default: return false
            }
        }
    }

    /// Unicode's `Mn`: the accents that accent stripping takes away.
    static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x300: false
        case 0x1734, 0x1171E: true  // `Mc` since Unicode 14 and 15.
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false  // `Lo`, `Lo`, `Mc` and `Po` in Unicode 8.
        default: scalar.properties.generalCategory == .nonspacingMark && isAssigned(scalar, in: 8)
        }
    }

    /// Whether the canonical decomposition knows the scalar; one that it does not know stays and is never reordered.
    static func isNormalizable(_ scalar: Unicode.Scalar) -> Bool { isAssigned(scalar, in: 9) }

    /// The CJK ideographs that become words of their own: the ranges of the original BERT.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF: true
        case 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F: true
        default: false
        }
    }
}
