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
