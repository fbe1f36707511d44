/// Finds labels that are two to a program and one to a person: `good` and `good` with a space behind it, or `1` and `1.0`, as
/// a data frame writes a column of whole numbers once one is missing. They would be classes of their own without a word.
struct LabelSpellings {
    private let path: String
    private var first: [String: (label: String, line: Int)] = [:]

    /// - Parameter path: the labels' file, for messages.
    init(path: String) { self.path = path }

    /// Takes a label that no row had before.
    ///
    /// - Throws: `badData`, with both lines, if another label means the same.
    mutating func add(_ label: String, line: Int) throws(TextError) {
        let meaning = Self.plain(label)
        if let other = first[meaning] {
            throw .badData(
                path, line: line,
                "the label is \(TextError.quoted(label)), in line \(other.line) \(TextError.quoted(other.label)): two "
                    + "classes by their spelling; write them alike, or rename one if they are two")
        }
        first[meaning] = (label, line)
    }

    /// The label without white space around it; a number as short as it can be. Leading zeros stay, as codes have them.
    private static func plain(_ label: String) -> String {
        let trimmed = String(String.UnicodeScalarView(label.unicodeScalars.trimmedOfWhiteSpace))
        guard isDecimalNumber(trimmed), !trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Double(trimmed), number.isFinite
        else { return trimmed }
        return Int(exactly: number).map(String.init) ?? number.description
    }
}

extension BidirectionalCollection<Unicode.Scalar> {
    fileprivate var trimmedOfWhiteSpace: SubSequence {
        guard let first = firstIndex(where: { !$0.properties.isWhitespace }),
            let last = lastIndex(where: { !$0.properties.isWhitespace })
        else { return self[startIndex..<startIndex] }
        return self[first...last]
    }
}
