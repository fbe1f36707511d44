import Diagnostics

/// The names of the columns (of a JSON object: the keys) that a data file's texts and labels are in.
public struct TextColumns: Sendable, Equatable {
    public var text: String
    /// The second text of a pair; nil: single texts.
    public var textPair: String?
    /// nil: the labels are not read.
    public var label: String?

    public init(text: String, textPair: String? = nil, label: String? = nil) {
        self.text = text
        self.textPair = textPair
        self.label = label
    }
}

/// One sample of a data file.
public struct TextRow: Sendable, Equatable {
    public var text: String
    /// The second text of a pair.
    public var textPair: String?
    /// As it is written in the file; numbers and booleans of JSON as they are spelled.
    public var label: String?
    /// The line that the sample starts at, counted from 1.
    public var line: Int

    public init(text: String, textPair: String? = nil, label: String? = nil, line: Int) {
        self.text = text
        self.textPair = textPair
        self.label = label
        self.line = line
    }
}

/// How a data file holds its samples.
public enum TextFormat: Sendable, Equatable, CaseIterable {
    /// A header and rows of cells, separated by tabs; no quoting, so no cell holds a tab or a line break.
    case tabSeparated
    /// RFC 4180: a header and rows of cells, separated by commas; cells in double quotes may hold commas, line breaks and
    /// doubled quotes.
    case commaSeparated
    /// One JSON object a line.
    case jsonLines

    /// The format that a file's name says: `.tsv`, `.csv`, `.jsonl`.
    ///
    /// - Throws: `usage` for any other name.
    public init(path: String) throws(TextError) {
        let name = path.lowercased()
        if name.hasSuffix(".tsv") {
            self = .tabSeparated
        } else if name.hasSuffix(".csv") {
            self = .commaSeparated
        } else if name.hasSuffix(".jsonl") {
            self = .jsonLines
        } else {
            throw TextError(
                .usage,
                "\(path): a data file's name must say its format: expected .tsv, .csv or .jsonl (one JSON object a line)"
            )
        }
    }
}

/// The samples of a data file, in file order; at least one.
public struct TextTable: Sendable, Equatable {
    /// Where the samples are from, for messages.
    public let path: String
    public let rows: [TextRow]
    /// What a user should be told of the file, a line each.
    public let remarks: [String]

    /// Reads a data file whole; its name says the format. A byte order mark is passed over, and so are blank lines, but for
    /// those between the rows of a single column.
    ///
    /// Takes time in proportion to the file, and memory of a small multiple of it.
    ///
    /// - Throws: `missingInput` if there is no such file, `inputOutput` if it cannot be read, `usage` for a format that is not
    ///   known, and `badData`, with the line, for: bytes that are not UTF-8; a header without a wanted column; a row with too
    ///   few or too many cells; a quote that is not closed; a line that is no JSON object, or without a wanted key, or with a
    ///   value of another type; no rows at all.
    public init(path: String, columns: TextColumns) throws(TextError) {
        let format = try TextFormat(path: path)
        try self.init(FileContents(path: path), format: format, columns: columns)
    }

    /// Takes the bytes of a data file; `path` names them in messages.
    ///
    /// - Throws: `badData` as `init(path:columns:)`.
    public init(bytes: [UInt8], path: String, format: TextFormat, columns: TextColumns) throws(TextError) {
        try self.init(FileContents(path: path, bytes: bytes), format: format, columns: columns)
    }

    private init(_ file: FileContents, format: TextFormat, columns: TextColumns) throws(TextError) {
        path = file.path
        rows =
            switch format {
            case .tabSeparated: try TabSeparatedFile(file).rows(columns)
            case .commaSeparated: try CommaSeparatedFile(file).rows(columns)
            case .jsonLines: try JSONLinesFile(file).rows(columns)
            }
        guard !rows.isEmpty else {
            throw TextError(.badData, "\(path): no rows, expected at least one sample")
        }
        remarks = format == .tabSeparated ? TabSeparatedFile.remark(on: rows, path: path).map { [$0] } ?? [] : []
    }
}

extension TextRow {
    /// The label, which must be there and not be empty.
    func requiredLabel(path: String) throws(TextError) -> String {
        guard let label, !label.isEmpty else {
            throw .badData(path, line: line, "the label is empty, expected one in every row")
        }
        if let offset = UnsortableText.offset(in: label.utf8) {
            throw .badData(path, line: line, "the label, \(UnsortableText.complaint(offset: offset))")
        }
        return label
    }
}
