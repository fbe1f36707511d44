import ArgumentParser
import Diagnostics
import Text

/// Texts, or pairs of texts, on standard input: a line each, plain or as a JSON object.
struct InputTexts {
    /// What a line is.
    enum Format: String, ExpressibleByArgument, CaseIterable { case lines, jsonl }

    /// A text, or a pair, and the number of its line.
    typealias Sample = (text: String, pair: String?, line: Int)

    /// Nil until a line decides: the first that is not blank.
    private var format: Format?
    /// Keys that are taken before `text` and `text_pair`.
    private let columns: TextColumns
    /// Whether every sample must be a pair, or none may be; nil: both may be.
    private let takesPairs: Bool?
    /// Blank lines before the format was decided.
    private var blankLines: [Int] = []

    private static let plainColumns = TextColumns(text: "text", textPair: "text_pair")

    /// - Parameters:
    ///   - format: nil leaves it to the lines.
    ///   - columns: keys of an object, besides `text` and `text_pair`.
    ///   - takesPairs: what the model was trained on; nil where nothing says so.
    init(format: Format?, columns: TextColumns = plainColumns, takesPairs: Bool? = nil) {
        self.format = format
        self.columns = columns
        self.takesPairs = takesPairs
    }

    /// Gives the samples in groups of at most `size`, as they come. Those before a bad line are given before it is told.
    ///
    /// - Throws: `TextError` or ``InputError`` naming the line.
    mutating func forEachGroup(of size: Int, _ body: ([Sample]) throws -> Void) throws {
        try InputLines.forEachGroup(of: size) { group in
            var samples: [Sample] = []
            do {
                for (number, line) in group { samples += try self.samples(of: line, number: number) }
            } catch {
                if !samples.isEmpty { try body(samples) }
                throw error
            }
            if !samples.isEmpty { try body(samples) }
        }
        // Nothing but blank lines: each is a text.
        if !blankLines.isEmpty { try body(try takePlain(blankLines.map { ($0, "") })) }
    }

    /// The sample of a line; none for a blank line of JSON Lines. Blank lines before a plain text come with it.
    private mutating func samples(of line: String, number: Int) throws -> [Sample] {
        guard let format else {
            let kind = JSONLine.kind(of: line)
            if kind == .blank {
                blankLines.append(number)
                return []
            }
            return try decide(kind, line, number)
        }
        guard format == .jsonl else { return try takePlain([(number, line)]) }
        if JSONLine.kind(of: line) == .blank { return [] }
        return [try takeObject(line, number)]
    }

    private mutating func decide(_ kind: JSONLine.Kind, _ line: String, _ number: Int) throws -> [Sample] {
        let hint = "; if it is a text as it stands, say --input lines"
        switch kind {
        case .object:
            format = .jsonl
            blankLines = []
            do {
                return [try takeObject(line, number)]
            } catch let error as TextError {
                throw InputError("\(error)\(hint)")
            }
        case .array:
            throw InputError("\(InputLines.name):\(number): a JSON array, expected a text or a JSON object\(hint)")
        case .string, .text, .blank:
            if kind == .string {
                tellUser("\(InputLines.name):\(number): the quotes around the text are taken as part of it")
            }
            format = .lines
            defer { blankLines = [] }
            return try takePlain(blankLines.map { ($0, "") } + [(number, line)])
        }
    }

    private func takePlain(_ lines: [(number: Int, line: String)]) throws(InputError) -> [Sample] {
        if let first = lines.first, takesPairs == true { throw lacksPair(first.number) }
        return lines.map { ($0.line, nil, $0.number) }
    }

    private func takeObject(_ line: String, _ number: Int) throws -> Sample {
        let object = try JSONLine(line, path: InputLines.name, line: number)
        let plain = Self.plainColumns
        let text = !object.has(columns.text) && object.has(plain.text) ? plain.text : columns.text
        let pair = [columns.textPair, plain.textPair].compactMap(\.self).first(where: object.has)
        if pair == nil, takesPairs == true { throw lacksPair(number) }
        if let pair, takesPairs == false {
            throw InputError(
                "\(InputLines.name):\(number): \"\(pair)\" makes it a pair of texts, but the model was trained on single "
                    + "texts; leave it out")
        }
        let row = try object.row(TextColumns(text: text, textPair: pair))
        return (row.text, row.textPair, number)
    }

    private func lacksPair(_ number: Int) -> InputError {
        InputError(
            "\(InputLines.name):\(number): a single text, but the model was trained on pairs; give both in a JSON object, as "
                + "in {\"text\": \"…\", \"text_pair\": \"…\"}")
    }
}
