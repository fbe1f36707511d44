import Diagnostics
import Testing
import Text

@Suite("Entries of a sparse matrix")
struct EntryTableTests {
    @Test("are numbered by the order of their names, whatever ends the lines")
    func reading() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            Array("\u{FEFF}神\t兽\t1\r\n魔\t兽\t-2.5e1\n神\t é\t0\n\n".utf8), to: "a.tsv")
        let table = try EntryTable(path: path)
        #expect(table.rowNames == ["神", "魔"])
        #expect(table.columnNames == ["兽", " é"])
        #expect(table.entries.map(\.row) == [0, 1, 0])
        #expect(table.entries.map(\.column) == [0, 0, 1])
        #expect(table.entries.map(\.value) == [1, -25, 0])
    }

    @Test(
        "that are malformed are refused, and the line named",
        arguments: [
            ("a\tb\t1\na\tb\n", ":2:"), ("a\tb\t1\t2\n", ":1:"), ("\tb\t1\n", ":1:"), ("a\t\t1\n", ":1:"),
            ("a\tb\tx\n", ":1:"), ("a\tb\t\n", ":1:"), ("a\tb\tnan\n", ":1:"), ("a\tb\t1\nc\td\tinf\n", ":2:"),
            ("a\tb\t1e999\n", ":1:"), ("a\tb\t1\nb\ta\t1\na\tb\t2\n", ":3:"), ("a\tb\t1\n\na\tc\t2\n", ":2:"),
            ("", "no entries"), ("\n\n", "no entries"),
        ])
    func refusals(text: String, message: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array(text.utf8), to: "a.tsv")
        let error = #expect(throws: TextError.self) { try EntryTable(path: path) }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("that are not UTF-8, or not there, are refused")
    func files() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([0x61, 0x09, 0xFF, 0x09, 0x31], to: "a.tsv")
        #expect(throws: TextError.self) { try EntryTable(path: path) }
        let error = #expect(throws: TextError.self) { try EntryTable(path: folder.path + "/none.tsv") }
        #expect(error?.kind == .missingInput)
    }
}
