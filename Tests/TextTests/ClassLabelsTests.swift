import Diagnostics
import Foundation
import Testing

@testable import Text

private func table(_ labels: [String]) throws(TextError) -> TextTable {
    let content = "text\tlabel\n" + labels.map { "a\t\($0)\n" }.joined()
    return try TextTable(
        bytes: Array(content.utf8), path: "data", format: .tabSeparated,
        columns: TextColumns(text: "text", label: "label"))
}

private func classes(_ labels: [String]) throws(TextError) -> ClassLabels {
    let table = try table(labels)
    return try ClassLabels(from: table.rows, path: table.path)
}

private func names(_ labels: [String]) throws(TextError) -> [String] { try classes(labels).names }

private func indices(of labels: [String], in classes: ClassLabels) throws -> [Int] {
    try table(labels).rows.map { try classes.index(of: $0, path: "data") }
}

private func targets(_ labels: [String]) throws -> [Float] {
    try table(labels).rows.map { try regressionTarget(of: $0, path: "data") }
}

@Suite struct ClassLabelsTests {
    @Test("whole numbers are the classes from 0 to the largest, gaps included")
    func numbers() throws {
        #expect(try names(["1", "0", "1"]) == ["0", "1"])
        #expect(try names(["3", "1"]) == ["0", "1", "2", "3"])
        #expect(try names(["10", "9"]).count == 11)
        #expect(try indices(of: ["0", "1", "2"], in: classes(["2", "0"])) == [0, 1, 2])
    }

    @Test("other labels are sorted by Unicode scalars, whatever the order of the rows")
    func sorted() throws {
        let expected = ["-1", "10", "9", "B", "a", "b", "\u{e9}", "\u{FF41}", "\u{1F600}"]
        #expect(try names(expected) == expected)
        #expect(try names(expected.reversed() + expected) == expected)
        #expect(try names(["01", "1"]) == ["01", "1"])
        #expect(try names(["99999999999999999999", "x"]) == ["99999999999999999999", "x"])
    }

    @Test("two spellings of a label that Unicode holds equivalent are one class, named alike in any order of rows")
    func equivalent() throws {
        for labels in [["e\u{301}", "\u{e9}", "x"], ["x", "\u{e9}", "e\u{301}"]] {
            let classes = try classes(labels)
            #expect(classes.names.map { Array($0.unicodeScalars) } == [["e", "\u{301}"], ["x"]])
            #expect(try indices(of: ["\u{e9}", "e\u{301}"], in: classes) == [0, 0])
        }
    }

    @Test(
        "more classes than the limit are refused with the line of a label",
        arguments: [["0", "10000"], ["99999999999999999999"]])
    func tooLarge(labels: [String]) {
        let error = #expect(throws: TextError.self) { try names(labels) }
        #expect(error?.kind == .badData)
        #expect(error?.description.hasPrefix("data:\(labels.count + 1): ") == true)
    }

    @Test("the limit itself is allowed, and one name more is refused")
    func limit() throws {
        #expect(try names(["9999"]).count == 10_000)
        let many = (0..<10_000).map { "n\($0)" }
        #expect(try names(many).count == 10_000)
        #expect(throws: TextError.self) { try names(many + ["one more"]) }
    }

    @Test("a label outside the classes is refused with file, line, what was found and what was expected")
    func outside() throws {
        let classes = try classes(["no", "yes"])
        let row = TextRow(text: "a", label: "maybe", line: 42)
        let error = #expect(throws: TextError.self) { try classes.index(of: row, path: "test.tsv") }
        #expect(error?.description == #"test.tsv:42: the label "maybe" is outside the classes; expected "no", "yes""#)
        #expect(error?.kind == .badData)
    }

    @Test("an empty label and a missing one are refused with the line")
    func empty() throws {
        let error = #expect(throws: TextError.self) { try names(["a", ""]) }
        #expect(error?.description.hasPrefix("data:3: ") == true)
        let classes = try ClassLabels(names: ["a"])
        #expect(throws: TextError.self) { try classes.index(of: TextRow(text: "a", line: 1), path: "data") }
    }

    @Test("classes survive JSON, and names that are not all different do not")
    func coding() throws {
        let classes = try ClassLabels(names: ["no", "yes"])
        let data = try JSONEncoder().encode(classes)
        #expect(String(decoding: data, as: UTF8.self) == #"{"names":["no","yes"]}"#)
        #expect(try JSONDecoder().decode(ClassLabels.self, from: data) == classes)
        for bad in [#"{"names": ["a", "a"]}"#, #"{"names": []}"#] {
            #expect(throws: TextError.self) { try JSONDecoder().decode(ClassLabels.self, from: Data(bad.utf8)) }
        }
    }

    @Test("a regression target is a finite decimal number")
    func regression() throws {
        #expect(try targets(["1", "-2.5", "+3e-2", ".5"]) == [1, -2.5, 0.03, 0.5])
        for bad in ["nan", "inf", "1e39", "0x10", "1,5", " 1", "", "one", "1e", "--1"] {
            let error = #expect(throws: TextError.self) { try targets(["0", bad]) }
            #expect(error?.description.hasPrefix("data:3: ") == true)
        }
    }
}
