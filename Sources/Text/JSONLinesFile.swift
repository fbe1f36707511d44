import Diagnostics
import JSONText

/// One JSON object a line.
struct JSONLinesFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var rows: [TextRow] = []
        var lines = TextLines(file)
        while let line = lines.next() {
            rows.append(
                try TextRow(
                    jsonBytes: file.bytes, in: line, columns: columns, pairIsOptional: false, path: file.path,
                    line: lines.number))
        }
        return rows
    }
}

extension TextRow {
    /// Takes one line of JSON Lines, for input that comes line by line.
    ///
    /// - Parameters:
    ///   - pairIsOptional: an object without the key of the second text is a single text.
    ///   - path: where the line is from, for messages.
    ///   - line: its number, counted from 1.
    /// - Throws: `badData` if it is no JSON object, lacks a wanted key or has a value of another type.
    public init(
        jsonLine: String, columns: TextColumns, pairIsOptional: Bool = false, path: String, line: Int
    ) throws(TextError) {
        let bytes = Array(jsonLine.utf8)
        try self.init(
            jsonBytes: bytes, in: 0..<bytes.count, columns: columns, pairIsOptional: pairIsOptional, path: path,
            line: line)
    }

    init(
        jsonBytes: [UInt8], in range: Range<Int>, columns: TextColumns, pairIsOptional: Bool, path: String, line: Int
    ) throws(TextError) {
        let value: JSONValue
        do {
            value = try JSONParser.parse(jsonBytes, in: range)
        } catch {
            let byte = error.offset - range.lowerBound + 1
            throw .badData(path, line: line, "not JSON at byte \(byte) of the line: \(error.message)")
        }
        guard case .object(let members) = value else {
            throw .badData(path, line: line, "\(value.kindName), expected a JSON object on every line")
        }
        func member(_ key: String) throws(TextError) -> JSONValue {
            if let value = value[key] { return value }
            let names = members.map(\.key)
            let nearest = nearestName(to: key, among: names).map { "; did you mean \(TextError.quoted($0))?" } ?? ""
            throw .badData(
                path, line: line,
                "the object has no key \(TextError.quoted(key)); found \(TextError.listed(names))\(nearest)")
        }
        func text(_ key: String) throws(TextError) -> String {
            let value = try member(key)
            guard let text = value.stringValue else {
                throw .badData(path, line: line, "\(TextError.quoted(key)) is \(value.kindName), expected a string")
            }
            return text
        }
        func label(_ key: String) throws(TextError) -> String {
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
        var pair: String?
        if let key = columns.textPair, !pairIsOptional || !(value[key]?.isNull ?? true) { pair = try text(key) }
        self.init(
            text: try text(columns.text), textPair: pair, label: try columns.label.map(label), line: line)
    }
}
