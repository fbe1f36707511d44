import Diagnostics
import JSONText
import JSONText

/// One JSON object a line. Blank lines are passed over.
struct JSONLinesFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var rows: [TextRow] = []
        var lines = TextLines(file)
        while let line = lines.next() {
            guard !JSONParser.isBlank(file.bytes[line]) else { continue }
            let object = try JSONLine(file.bytes, in: line, path: file.path, line: lines.number)
            rows.append(try object.row(columns))
        }
        return rows
    }
}

/// A line of JSON Lines: an object.
public struct JSONLine {
    private let value: JSONValue
    private let keys: [String]
    private let path: String
    private let line: Int

    /// Takes one line, for input that comes line by line.
    ///
    /// - Parameters:
    ///   - path: where the line is from, for messages.
    ///   - line: its number, counted from 1.
    /// - Throws: `badData` if it is no JSON object.
    public init(_ text: String, path: String, line: Int) throws(TextError) {
        let bytes = Array(text.utf8)
        try self.init(bytes, in: 0..<bytes.count, path: path, line: line)
    }

    init(_ bytes: [UInt8], in range: Range<Int>, path: String, line: Int) throws(TextError) {
        do {
            value = try JSONParser.parse(bytes, in: range)
        } catch {
            let byte = error.offset - range.lowerBound + 1
            throw .badData(path, line: line, "not JSON at byte \(byte) of the line: \(error.message)")
        }
        guard case .object(let members) = value else {
            throw .badData(path, line: line, "\(value.kindName), expected a JSON object on every line")
        }
        keys = members.map(\.key)
        self.path = path
        self.line = line
    }

    /// What a line can be where texts and JSON Lines are both expected.
    public enum Kind: Sendable {
        /// Begins as an object does.
        case object
        /// A JSON array.
        case array
        /// A JSON string, or a text in quotes.
        case string
        /// White space, or nothing.
        case blank
        case text
    }

    /// What a line is by the look of it.
    public static func kind(of line: String) -> Kind {
        let bytes = Array(line.utf8)
        guard let first = bytes.first(where: { !JSONParser.isBlank([$0]) }) else { return .blank }
        if first == UInt8(ascii: "{") { return .object }
        guard first == UInt8(ascii: "[") || first == UInt8(ascii: "\"") else { return .text }
        switch try? JSONParser.parse(bytes, in: 0..<bytes.count) {
        case .array: return .array
        case .string: return .string
        default: return .text
        }
    }

    /// Whether the object has a key with a value that is not null.
    public func has(_ key: String) -> Bool { value[key].map { !$0.isNull } ?? false }

    /// The sample in the values of some keys; of a key that stands twice, the last.
    ///
    /// - Throws: `badData` if a wanted key is missing or has a value of another type.
    public func row(_ columns: TextColumns) throws(TextError) -> TextRow {
        TextRow(
            text: try text(columns.text), textPair: try columns.textPair.map(text),
            label: try columns.label.map(label), line: line)
    }

    private func member(_ key: String) throws(TextError) -> JSONValue {
        if let value = value[key] { return value }
        let nearest = nearestName(to: key, among: keys).map { "; did you mean \(TextError.quoted($0))?" } ?? ""
        throw .badData(
            path, line: line,
            "the object has no key \(TextError.quoted(key)); found \(TextError.listed(keys))\(nearest)")
    }

    private func text(_ key: String) throws(TextError) -> String {
        let value = try member(key)
        guard let text = value.stringValue else {
            throw .badData(path, line: line, "\(TextError.quoted(key)) is \(value.kindName), expected a string")
        }
        return text
    }

    private func label(_ key: String) throws(TextError) -> String {
        switch try member(key) {
        case .string(let name): return name
        case .number(let spelling): return spelling
        case .boolean(let value): return value ? "true" : "false"
        case let value:
            throw .badData(
                path, line: line,
                "\(TextError.quoted(key)) is \(value.kindName), expected a string, a number or a boolean")
        }
    }
}
