import Diagnostics

/// The classes of a classification: their names, in the order of their numbers.
public struct ClassLabels: Sendable, Equatable {
    /// The name of each class; the class's number is its index.
    public let names: [String]
    private let indices: [String: Int]

    /// More classes are taken for a mistake, such as a column of numbers that are no classes.
    public static let countLimit = 10_000

    /// Finds the classes of a training set.
    ///
    /// If every label is a whole number from 0, written in digits without leading zeros, the classes are 0 to the largest
    /// one, also those that no row has. Otherwise they are the distinct labels, sorted by their Unicode scalars, so that
    /// their numbers depend neither on the order of the rows nor on the machine.
    ///
    /// - Parameter path: the rows' file, for messages.
    /// - Throws: `badData`, with the line, if a label is missing or empty, or there are more than `countLimit` classes.
    public init(from rows: [TextRow], path: String) throws(TextError) {
        var representatives: [String: String] = [:]
        // The largest label and its row, as long as all labels are numbers.
        var largest: (number: Int, row: TextRow)? = rows.first.map { (-1, $0) }
        for row in rows {
            let label = try row.requiredLabel(path: path)
            if let known = representatives[label] {
                // Two spellings of one label that Unicode holds equivalent: the one that sorts first names the class.
                if Self.precedes(label, known) { representatives[label] = label }
                continue
            }
            representatives[label] = label
            if let number = Self.number(label), let soFar = largest {
                if number > soFar.number { largest = (number, row) }
            } else {
                largest = nil
            }
            guard representatives.count <= Self.countLimit else { throw Self.tooMany(path, row) }
        }
        if let largest {
            guard largest.number < Self.countLimit else { throw Self.tooMany(path, largest.row) }
            try self.init(names: (0...max(0, largest.number)).map(String.init))
        } else {
            try self.init(names: representatives.values.sorted(by: Self.precedes))
        }
    }

    /// Takes names that were kept, such as an adapter's.
    ///
    /// - Throws: `badData` if two are equal or there is none.
    public init(names: [String]) throws(TextError) {
        indices = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        guard !names.isEmpty, indices.count == names.count else {
            throw TextError(
                .badData, "class names \(TextError.listed(names)), expected at least one, and all different")
        }
        self.names = names
    }

    /// The number of classes.
    public var count: Int { names.count }

    /// The class of a row's label.
    ///
    /// - Parameter path: the row's file, for the message.
    /// - Throws: `badData`, with the line, if the label is missing or is none of the classes.
    public func index(of row: TextRow, path: String) throws(TextError) -> Int {
        let label = try row.requiredLabel(path: path)
        guard let index = indices[label] else {
            throw .badData(
                path, line: row.line,
                "the label \(TextError.quoted(label)) is outside the classes; expected \(TextError.listed(names))")
        }
        return index
    }

    private static func tooMany(_ path: String, _ row: TextRow) -> TextError {
        .badData(
            path, line: row.line,
            "the label \(TextError.quoted(row.label ?? "")) makes more than \(countLimit) classes; "
                + "name the column of the classes, or set task: regression")
    }

    /// The number that a label is: digits without leading zeros; a huge one is the largest `Int`.
    private static func number(_ label: String) -> Int? {
        let digits = label.utf8
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard digits.count == 1 || digits.first != 0x30 else { return nil }
        return Int(label) ?? .max
    }

    private static func precedes(_ first: String, _ second: String) -> Bool {
        first.unicodeScalars.lexicographicallyPrecedes(second.unicodeScalars)
    }
}

extension ClassLabels: Codable {
    private enum CodingKeys: String, CodingKey { case names }

    public init(from decoder: any Decoder) throws {
        try self.init(names: decoder.container(keyedBy: CodingKeys.self).decode([String].self, forKey: .names))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(names, forKey: .names)
    }
}
