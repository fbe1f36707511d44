import Foundation
import Text
import Tokenization

/// Data files of every format, and the tokens of their texts.
struct TableReader: FileReader {
    static let name = "table"
    static let share = 12

    let seeds: [Seed]
    private let tokenizer: Tokenizer
    private static let columns = TextColumns(text: "text", textPair: "other", label: "label")

    init(_ workshop: Workshop) throws {
        let rows = [
            ("A wonderful film.", "The worst, ever", "1"), ("caf\u{E9} \u{4E2D}", "", "0"), ("3.5", "null", "-2.25e1"),
        ]
        let tabs = "\u{FEFF}id\ttext\tother\tlabel\r\n" + rows.map { "7\t\($0.0)\t\($0.1)\t\($0.2)\n" }.joined()
        let commas =
            "text,other,label\n" + rows.map { "\"\($0.0)\",\"a \"\"b\"\",\r\n\($0.1)\",\($0.2)\r\n" }.joined()
        let objects = rows.map {
            "{\"text\": \"\($0.0)\\n\\ud83d\\ude00\", \"other\": \"\($0.1)\", \"label\": \($0.2), \"x\": [1, {}]}\n"
        }
        tokenizer = try Tokenizer(modelDirectory: workshop.fixture("tiny-bert"))
        seeds = [
            try workshop.seed("tabs", file: "data.tsv", text: tabs, format: .lines),
            try workshop.seed("commas", file: "data.csv", text: commas, format: .lines),
            try workshop.seed("objects", file: "data.jsonl", text: objects.joined(), format: .json),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let table = try TextTable(path: input.seed.path, columns: Self.columns)
        for row in table.rows {
            guard let pair = row.textPair, row.label != nil, row.line > 0 else {
                throw BrokenPromise("line \(row.line) lacks the second text or the label that was asked for")
            }
            let tokens = try tokenizer.encode(row.text, pair: pair, truncation: Truncation(maxLength: 48))
            guard tokens.ids.count <= 48, tokens.ids.allSatisfy({ $0 >= 0 && $0 < tokenizer.vocabularySize }) else {
                throw BrokenPromise("line \(row.line) became \(tokens.ids.count) tokens")
            }
        }
    }
}

/// The labels of a data file, as classes and as numbers.
struct LabelReader: FileReader {
    static let name = "labels"
    static let share = 5

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        func table(_ labels: [String]) -> String {
            "text\tlabel\n" + labels.map { "x\t\($0)\n" }.joined()
        }
        seeds = [
            try workshop.seed("numbers", file: "a.tsv", text: table(["0", "1", "2", "1"]), format: .lines),
            try workshop.seed(
                "names", file: "b.tsv", text: table(["good", "caf\u{E9}", "cafe\u{301}", "01"]), format: .lines),
            try workshop.seed("targets", file: "c.tsv", text: table(["0.5", "-1e3", "+7"]), format: .lines),
            try workshop.seed(
                "large", file: "d.tsv", text: table(["0", "9223372036854775808"]), format: .lines, verdict: .refused),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let path = input.seed.path
        let rows = try TextTable(path: path, columns: TextColumns(text: "text", label: "label")).rows
        let classes = try ClassLabels(from: rows, path: path)
        for row in rows {
            let index = try classes.index(of: row, path: path)
            guard classes.names.indices.contains(index) else {
                throw BrokenPromise("class \(index) of \(classes.count)")
            }
        }
        // What holds as classes need not hold as numbers; both are tried.
        if input.index % 2 == 0, !input.isUnchanged {
            for row in rows where !(try regressionTarget(of: row, path: path)).isFinite {
                throw BrokenPromise("line \(row.line) is no finite number")
            }
        }
    }
}
