import Diagnostics
import Foundation
import PEFTFormat
import Text

/// Makes texts, or pairs, of the lines of standard input.
struct InputTexts {
    /// What a line is.
    enum Format: String, CaseIterable {
        /// The text itself.
        case lines
        /// A JSON object.
        case jsonl
    }

    typealias Sample = (text: String, pair: String?)

    private let task: TaskDescription
    /// Whether it is known if the model was trained on pairs.
    private let isKnown: Bool
    private var format: Format?
    /// Blank lines before the first that says what lines are.
    private var blank = 0

    /// - Parameter format: nil leaves it to the first line that is not blank.
    init(task: TaskDescription, isKnown: Bool, format: Format?) {
        self.task = task
        self.isKnown = isKnown
        self.format = format
    }

    /// The samples of some lines, up to the first that cannot be used.
    mutating func take(_ lines: [(number: Int, line: String)]) -> (samples: [Sample], failure: (any Error)?) {
        var samples: [Sample] = []
        do {
            for (number, line) in lines { samples += try self.samples(of: line, number: number) }
        } catch {
            return (samples, error)
        }
        return (samples, nil)
    }

    /// What is left at the end: lines that were all blank are texts.
    mutating func rest() -> [Sample] {
        defer { blank = 0 }
        return Array(repeating: ("", nil), count: blank)
    }

    private mutating func samples(of line: String, number: Int) throws -> [Sample] {
        let isBlank = line.allSatisfy(\.isWhitespace)
        if format == nil {
            guard !isBlank else {
                blank += 1
                return []
            }
            format = try Self.format(ofFirst: line, number: number)
            defer { blank = 0 }
            let before = format == .lines ? rest() : []
            return before + (try samples(of: line, number: number))
        }
        guard format == .jsonl else { return [try checked((line, nil), number)] }
        return isBlank ? [] : [try checked(try object(line, number), number)]
    }

    /// - Throws: ``InputError`` for what is JSON but no object: a text would hardly look so.
    private static func format(ofFirst line: String, number: Int) throws(InputError) -> Format {
        guard let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)) else { return .lines }
        if value is [String: Any] { return .jsonl }
        guard value is [Any] else { return .lines }
        throw InputError(
            "standard input:\(number): a JSON array, expected a JSON object on each line; give one object a line, or "
                + "--input lines if this is a text")
    }

    /// Texts under the names of the training's columns, or else as `text` and `text_pair`.
    private func object(_ line: String, _ number: Int) throws -> Sample {
        func row(_ text: String, _ pair: String) throws -> TextRow {
            try TextRow(
                jsonLine: line, columns: TextColumns(text: text, textPair: pair), pairIsOptional: true,
                path: "standard input", line: number)
        }
        let (text, pair) = (task.textColumn, task.textPairColumn ?? "text_pair")
        if text != "text", let trained = try? row(text, pair) { return (trained.text, trained.textPair) }
        let plain = try row("text", "text_pair")
        return (plain.text, plain.textPair)
    }

    /// A model that was trained on pairs says nothing of single texts, nor the other way round.
    private func checked(_ sample: Sample, _ number: Int) throws(InputError) -> Sample {
        guard isKnown, (sample.pair == nil) != (task.textPairColumn == nil) else { return sample }
        throw InputError(
            "standard input:\(number): "
                + (sample.pair == nil
                    ? "one text, but the model was trained on pairs; give {\"text\": …, \"text_pair\": …}"
                    : "a pair of texts, but the model was trained on single ones; leave text_pair out"))
    }
}
