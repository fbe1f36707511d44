import Diagnostics
import Foundation
import Testing

@testable import Text

private let all = TextColumns(text: "text", textPair: "other", label: "label")
private let labelled = TextColumns(text: "text", label: "label")

private func table(_ content: String, _ format: TextFormat, _ columns: TextColumns) throws(TextError) -> TextTable {
    try TextTable(bytes: Array(content.utf8), path: "data", format: format, columns: columns)
}

/// The message that reading gives; nil if it gives none.
private func refusal(_ content: String, _ format: TextFormat, _ columns: TextColumns = labelled) -> String? {
    do throws(TextError) {
        _ = try table(content, format, columns)
        return nil
    } catch {
        return error.kind == .badData ? error.description : "not bad data"
    }
}

@Suite struct TextTableTests {
    @Test("tab-separated cells are taken as they are, quotes included")
    func tabs() throws {
        let rows = try table("id\tlabel\ttext\tother\n1\tyes\t\"a, b\" \tc\r\n2\t\t\t\u{1F600}", .tabSeparated, all)
            .rows
        #expect(
            rows == [
                TextRow(text: "\"a, b\" ", textPair: "c", label: "yes", line: 2),
                TextRow(text: "", textPair: "\u{1F600}", label: "", line: 3),
            ])
    }

    @Test("comma-separated cells are read as RFC 4180 has them, and lines are counted through line breaks in cells")
    func commas() throws {
        let content =
            "text,label\r\n\"a \"\"quoted\"\" word, a comma\",1\r\n\"two\nlines\r\n\",2\r\nplain \"quote\",\"3\"\n,4\n\"\",5\n"
        let rows = try table(content, .commaSeparated, labelled).rows
        #expect(
            rows == [
                TextRow(text: "a \"quoted\" word, a comma", label: "1", line: 2),
                TextRow(text: "two\nlines\r\n", label: "2", line: 3),
                TextRow(text: "plain \"quote\"", label: "3", line: 6), TextRow(text: "", label: "4", line: 7),
                TextRow(text: "", label: "5", line: 8),
            ])
    }

    @Test("labels of JSON Lines are strings, numbers or booleans, as they are spelled")
    func jsonLines() throws {
        let content = """
            {"text": "a\\n\\u00e9\\ud83d\\ude00\\"\\/", "label": "yes", "other": "b", "more": [1, {"x": null}]}
            {"other": "", "label": -3, "text": ""}
            {"text": "c", "label": 2.50e1, "other": "d"}
            {"text": "x", "text": "e", "label": true, "other": "f"}
            """
        #expect(
            try table(content, .jsonLines, all).rows == [
                TextRow(text: "a\n\u{e9}\u{1F600}\"/", textPair: "b", label: "yes", line: 1),
                TextRow(text: "", textPair: "", label: "-3", line: 2),
                TextRow(text: "c", textPair: "d", label: "2.50e1", line: 3),
                TextRow(text: "e", textPair: "f", label: "true", line: 4),
            ])
    }

    @Test(
        "a byte order mark, CR LF and blank lines at the end are passed over",
        arguments: [
            (TextFormat.tabSeparated, "text\tlabel", "a\t1"), (.commaSeparated, "\"text\",label", "a,1"),
            (.jsonLines, "{\"text\": \"a\", \"label\": 1}", "{\"text\": \"a\", \"label\": 1}"),
        ])
    func tolerated(format: TextFormat, header: String, row: String) throws {
        let plain = try table("\(header)\n\(row)", format, labelled)
        #expect(plain.rows.last == TextRow(text: "a", label: "1", line: 2))
        #expect(try table("\u{FEFF}\(header)\r\n\(row)\r\n\r\n\n", format, labelled) == plain)
    }

    @Test(
        "blank lines between rows are no rows",
        arguments: [
            (TextFormat.tabSeparated, "\u{FEFF}\n \ntext\tlabel\n\na\t1\n  \r\n\nb\t2"),
            (.commaSeparated, "\u{FEFF}\n \ntext,label\n\na,1\n \t\r\n\nb,2"),
            (.jsonLines, "\u{FEFF}\n \n\n\n{\"text\": \"a\", \"label\": 1}\n \t\r\n\n{\"text\": \"b\", \"label\": 2}"),
        ])
    func blankLines(format: TextFormat, content: String) throws {
        #expect(
            try table(content, format, labelled).rows == [
                TextRow(text: "a", label: "1", line: 5), TextRow(text: "b", label: "2", line: 8),
            ])
    }

    @Test("in a file of one column a blank line is an empty cell, but for those at the end")
    func blankCells() throws {
        for format in [TextFormat.tabSeparated, .commaSeparated] {
            let rows = try table("text\na\n\nb\n\n", format, TextColumns(text: "text")).rows
            #expect(rows.map(\.text) == ["a", "", "b"])
        }
    }

    @Test("cells that a data frame put into quotes are told of in tab-separated files, and only they")
    func quotedCells() throws {
        func remarks(_ text: String, _ format: TextFormat = .tabSeparated) throws -> [String] {
            let separator = format == .tabSeparated ? "\t" : ","
            return try table("text\(separator)label\na\(separator)1\n\(text)\(separator)1", format, labelled).remarks
        }
        for text in [#""it is ""good"" film""#, "\"\"\"good\"\"\"", #""""a""#] {
            let found = try remarks(text)
            #expect(found.count == 1 && found[0].hasPrefix("data:3: ") && found[0].contains(".csv"), "\(text)")
        }
        for text in [
            #""the film is bad"#, #"the "plot"#, #""good" and "bad""#, #""a""#, #"""#, #""""#, #""it is ""good" film""#,
        ] {
            #expect(try remarks(text).isEmpty, "\(text)")
        }
        #expect(try remarks(#""it is ""good"" film""#, .commaSeparated).isEmpty)
    }

    @Test("the text is kept scalar for scalar")
    func scalars() throws {
        let text = "e\u{301} \u{e9} \u{0} \u{FEFF}"
        let row = try #require(try table("text\tlabel\n\(text)\t1", .tabSeparated, labelled).rows.first)
        #expect(Array(row.text.unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test(
        "a file is read by its name's format; a name of no format is a usage error, a file that is not there missing input"
    )
    func files() throws {
        let folder = try TemporaryFolder([
            "a.tsv": "text\tlabel\nx\t1\n", "a.CSV": "text,label\nx,1\n", "a.jsonl": #"{"text": "x", "label": 1}"#,
            "a.txt": "x",
        ])
        for name in ["a.tsv", "a.CSV", "a.jsonl"] {
            let table = try TextTable(path: "\(folder.path)/\(name)", columns: labelled)
            #expect(table.rows.map(\.text) == ["x"])
        }
        let format = #expect(throws: TextError.self) { try TextTable(path: "\(folder.path)/a.txt", columns: labelled) }
        #expect(format?.kind == .usage)
        let missing = #expect(throws: TextError.self) { try TextTable(path: "\(folder.path)/b.tsv", columns: labelled) }
        #expect(missing?.kind == .missingInput)
        #expect(missing?.description.contains("b.tsv") == true)
    }

    @Test("a header without the column names the columns it has, and the nearest", arguments: ["\t", ","])
    func missingColumn(separator: String) {
        let content =
            ["Text", "lable", "id"].joined(separator: separator) + "\n" + ["a", "1", "2"].joined(separator: separator)
        let format = separator == "," ? TextFormat.commaSeparated : .tabSeparated
        let message = refusal(content, format, TextColumns(text: "Text", label: "label")) ?? ""
        #expect(message.hasPrefix("data:1: "))
        #expect(message.contains("\"Text\", \"lable\", \"id\""))
        #expect(message.contains("did you mean \"lable\"?"))
        #expect(refusal(content, format, TextColumns(text: "sentence"))?.contains("did you mean") == false)
    }

    @Test(
        "a row that cannot be read is refused with its line",
        arguments: [
            (TextFormat.tabSeparated, "text\tlabel\na\t1\nb", 3, "1 cell in the row"),
            (.tabSeparated, "text\tlabel\na\t1\n\"b\nc\"\t2", 3, "a .tsv file has no quoting"),
            (.tabSeparated, "text\tlabel\na\t1\n\"b\tc\"\t2", 3, "a .tsv file has no quoting"),
            // Blank lines are passed over, and counted.
            (.tabSeparated, "\ntext\tlabel\n\na\t1\n  \nb", 6, "1 cell in the row"),
            (.tabSeparated, "\n\ntext\tlable\na\t1", 3, "did you mean \"lable\"?"),
            (.tabSeparated, "text\tlabel\n\t\nb\t1\t1", 3, "3 cells"),
            (.commaSeparated, "\ntext,label\n\na,1\n \t\nb", 6, "1 cell in the row"),
            (.commaSeparated, "text,label\n\"\"", 2, "1 cell in the row"),
            (.jsonLines, "\n{\"text\": \"a\", \"label\": 1}\n\n \t\nb", 5, "not JSON"),
            (.tabSeparated, "text\tlabel\na\t1\nb\tc\t2", 3, "3 cells"),
            (.tabSeparated, "text\ttext\tlabel\na\tb\t1", 1, "two columns"),
            (.commaSeparated, "text,label\n\"a\n\n\",1\nb", 5, "1 cell in the row"),
            (.commaSeparated, "text,label\na,b,1", 2, "3 cells"),
            (.commaSeparated, "text,label\na,1\n\"b\nc,2\n", 3, "not closed"),
            (.commaSeparated, "text,label\na,1\n\"b\" c,2\n", 3, "closing quote"),
            (.commaSeparated, "text,label\n\"a\",\"1\"\r\"b\",2", 2, "carriage return"),
            (.jsonLines, "{\"text\": \"a\", \"label\": 1}\n[1]", 2, "an array"),
            (.jsonLines, "{\"text\": \"a\", \"label\": 1}\n{\"tex\": \"a\", \"label\": 1}", 2, "did you mean \"tex\"?"),
            (.jsonLines, "{\"text\": 5, \"label\": 1}", 1, "a number, expected a string"),
            (.jsonLines, "{\"text\": \"a\", \"label\": null}", 1, "null"),
            (.jsonLines, "{\"text\": \"a\", \"label\": [1]}", 1, "an array"),
            (.jsonLines, "{\"text\": \"a\", \"label\": NaN}", 1, "not JSON at byte 24"),
            (.jsonLines, "{\"text\": \"a\\ud800\", \"label\": 1}", 1, "surrogate"),
            (.jsonLines, "{\"text\": \"a", 1, "closing quote"),
            (.jsonLines, "{\"text\": \"a\", \"label\": 01}", 1, "not JSON"),
            (.jsonLines, String(repeating: "[", count: 100_000), 1, "nested"),
        ])
    func badRows(format: TextFormat, content: String, line: Int, part: String) {
        let message = refusal(content, format) ?? "none"
        #expect(message.hasPrefix("data:\(line): "))
        #expect(message.contains(part))
    }

    @Test("a second text that is asked for must be there")
    func missingPair() {
        #expect(refusal("text\tlabel\na\t1", .tabSeparated, all)?.contains("\"other\"") == true)
        #expect(refusal(#"{"text": "a", "label": 1}"#, .jsonLines, all)?.contains("\"other\"") == true)
    }

    @Test("a file without rows is refused", arguments: TextFormat.allCases)
    func noRows(format: TextFormat) {
        #expect(refusal("", format) != nil)
        #expect(refusal("\u{FEFF}\r\n\n", format) != nil)
        let header = format == .commaSeparated ? "text,label\n" : "text\tlabel\n"
        #expect(refusal(header, format) != nil)
    }

    @Test("bytes that are not UTF-8 are refused with their line", arguments: TextFormat.allCases)
    func notUTF8(format: TextFormat) {
        // An overlong encoding, an encoded surrogate, a lone continuation byte, a cut sequence, UTF-16.
        for bytes: [UInt8] in [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x80], [0xE2, 0x82], [0xFF, 0xFE]] {
            let content = Array("text\n\u{e9}\n".utf8) + bytes + Array("\n".utf8)
            let error = #expect(throws: TextError.self) {
                try TextTable(bytes: content, path: "data", format: format, columns: labelled)
            }
            #expect(error?.description.hasPrefix("data:3: ") == true)
        }
    }

    @Test("one line of JSON may leave the second text out where that is allowed")
    func singleLine() throws {
        let columns = TextColumns(text: "text", textPair: "other")
        func row(_ line: String) throws(TextError) -> TextRow {
            let object = try JSONLine(line, path: "input", line: 7)
            return try object.row(object.has("other") ? columns : TextColumns(text: "text"))
        }
        #expect(try row(#"{"text": "a", "other": "b"}"#) == TextRow(text: "a", textPair: "b", line: 7))
        #expect(try row(#"{"text": "a", "other": null}"#) == TextRow(text: "a", line: 7))
        #expect(try row(#"{"text": "a"}"#) == TextRow(text: "a", line: 7))
        #expect(try row(#"{"text": "x", "text": "a"}"#) == TextRow(text: "a", line: 7))
        #expect(throws: TextError.self) { try row(#"{"text": "a", "other": 1}"#) }
        #expect(throws: TextError.self) { try row("") }
    }

    @Test("no damage to a byte traps", arguments: TextFormat.allCases)
    func fuzzed(format: TextFormat) {
        let sample =
            format == .jsonLines
            ? #"{"text": "a\u00e9\n", "label": -1.5e3, "x": [true, null]}"# + "\n" : "text,label\tx\n\"a\"\"\n,\",1\r\n"
        var read = 0
        for position in sample.utf8.indices.map({ sample.utf8.distance(from: sample.startIndex, to: $0) }) {
            for replacement: UInt8 in [0x00, 0x09, 0x0A, 0x0D, 0x22, 0x2C, 0x5C, 0x7B, 0xFF] {
                var bytes = Array(sample.utf8)
                bytes[position] = replacement
                for content in [bytes, Array(bytes[..<position])] {
                    let table = try? TextTable(bytes: content, path: "data", format: format, columns: labelled)
                    read += table == nil ? 1 : 2
                }
            }
        }
        #expect(read >= sample.utf8.count * 18)
    }
}
