/// The classes of scalars that the `tokenizers` library distinguishes, in the versions of Unicode of its parts.
///
/// - Patterns are Oniguruma's, whose tables are those of Unicode 16. To it U+0295 is a lower-case letter.
/// - Punctuation, and what BERT's clean-up knows, is the `unicode_categories` package's: Unicode 8. A scalar that a later version
///   assigned is neither punctuation nor a mark nor a format character, and five have changed their category since.
/// - Decompositions and combining marks are the `unicode-normalization-alignments` package's: Unicode 9.
/// - White space, letter case and digits are Rust's own, those of the current Unicode.
enum UnicodeClasses {
    /// A set of the classes that a pattern tells apart: a bit for each general category, and two for scalars that belong to a
    /// category but not to all sets that the category belongs to.
    typealias Mask = UInt32

    static let letter: Mask = 0b1_1111
    static let uppercase: Mask = 1 << 0
    static let lowercase: Mask = 1 << 1
    static let titlecase: Mask = 1 << 2
    static let modifierLetter: Mask = 1 << 3
    static let otherLetter: Mask = 1 << 4
    static let nonspacingMark: Mask = 1 << 5
    static let spacingMark: Mask = 1 << 6
    static let enclosingMark: Mask = 1 << 7
    static let mark: Mask = 0b111 << 5
    static let decimal: Mask = 1 << 8
    static let letterNumber: Mask = 1 << 9
    static let otherNumber: Mask = 1 << 10
    static let number: Mask = 0b111 << 8
    static let connector: Mask = 1 << 11
    static let punctuation: Mask = 0b111_1111 << 11
    static let symbol: Mask = 0b1111 << 18 | alphabeticSymbol
    static let separator: Mask = 0b111 << 22
    static let control: Mask = 1 << 25 | nextLine
    static let format: Mask = 1 << 26
    static let unassigned: Mask = 1 << 29
    /// U+0085: a control character that is white space.
    static let nextLine: Mask = 1 << 30
    /// Circled letters: symbols that are alphabetic.
    static let alphabeticSymbol: Mask = 1 << 31
    /// White space outside ASCII.
    static let whiteSpace: Mask = separator | nextLine
    /// Oniguruma's `\w` outside ASCII, but for six fractions and superscripts.
    static let word: Mask = letter | mark | decimal | letterNumber | connector | alphabeticSymbol

    /// The class of a scalar outside ASCII.
    @inline(__always)
    static func mask(_ scalar: Unicode.Scalar) -> Mask {
        1 << Mask(scalar.value < tableEnd ? table[Int(scalar.value)] : classNumber(scalar))
    }

    private static let tableEnd: UInt32 = 0x20000

    private static let table: [UInt8] = (0..<tableEnd).map { Unicode.Scalar($0).map(classNumber) ?? 29 }

    private static func classNumber(_ scalar: Unicode.Scalar) -> UInt8 {
        if scalar.value == 0x85 { return 30 }
        if scalar.value == 0x295 { return 1 }
        let properties = scalar.properties
        let category = number(of: properties.generalCategory)
        if category == 29 || category == 28 { return category }
        if category == 21, properties.isAlphabetic { return 31 }
        return isAssigned(scalar, in: 16) ? category : 29
    }

    static func number(of category: Unicode.GeneralCategory) -> UInt8 {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 29
        }
    }

    /// The bits of a general category, or of a group of them, by its short name in a pattern; nil if there is none.
    static func mask(named name: String) -> Mask? {
        switch name {
        case "L": letter
        case "Lu": uppercase
        case "Ll": lowercase
        case "Lt": titlecase
        case "Lm": modifierLetter
        case "Lo": otherLetter
        case "M": mark
        case "Mn": nonspacingMark
        case "Mc": spacingMark
        case "Me": enclosingMark
        case "N": number
        case "Nd": decimal
        case "Nl": letterNumber
        case "No": otherNumber
        case "P": punctuation
        case "Pc": connector
        case "Pd": 1 << 12
        case "Ps": 1 << 13
        case "Pe": 1 << 14
        case "Pi": 1 << 15
        case "Pf": 1 << 16
        case "Po": 1 << 17
        case "S": symbol
        case "Sm": 1 << 18
        case "Sc": 1 << 19
        case "Sk": 1 << 20
        case "So": 1 << 21 | alphabeticSymbol
        case "Z": separator
        case "Zs": 1 << 22
        case "Zl": 1 << 23
        case "Zp": 1 << 24
        case "Cc": control
        case "Cf": format
        default: nil
        }
    }

    /// Whether the version of Unicode that assigned a scalar is at most this.
    static func isAssigned(_ scalar: Unicode.Scalar, in version: Int) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major <= version
    }
}

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
