import Diagnostics

/// A header and rows of cells, separated by tabs, without any quoting.
struct TabSeparatedFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var lines = TextLines(file)
        var header: Range<Int>?
        repeat { header = lines.next() } while header.map(file.isBlank) == true
        guard let header else {
            throw TextError(.badData, "\(file.path): the file is empty, expected a header and rows")
        }
        let choice = try ColumnChoice(
            columns, header: cells(of: header).map(file.text), of: file.path, .tabSeparated, line: lines.number)
        var rows: [TextRow] = []
        while let line = lines.next() {
            if choice.skipsBlankLines, file.isBlank(line) { continue }
            let cells = cells(of: line)
            rows.append(try choice.row(cellCount: cells.count, line: lines.number) { file.text(cells[$0]) })
        }
        return rows
    }

    private func cells(of line: Range<Int>) -> [Range<Int>] {
        file.bytes[line].split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(\.indices)
    }

    /// What to tell of cells that a data frame put into quotes, which are part of the text here; nil if there are none.
    static func remark(on rows: [TextRow], path: String) -> String? {
        func isQuoted(_ text: String) -> Bool {
            let text = text.utf8
            guard text.count >= 4, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else {
                return false
            }
            // Inside the quotes, each quote is doubled.
            let content = text.dropFirst().dropLast()
            var quotes = 0
            var run = 0
            for byte in content {
                if byte == UInt8(ascii: "\"") {
                    (quotes, run) = (quotes + 1, run + 1)
                } else if run % 2 == 1 {
                    return false
                } else {
                    run = 0
                }
            }
            return quotes > 0 && run % 2 == 0
        }
        let quoted = rows.filter { isQuoted($0.text) || ($0.textPair.map(isQuoted) ?? false) }
        guard let first = quoted.first else { return nil }
        return "\(path):\(first.line): the cell stands in quotes and has doubled ones inside, as in \(quoted.count) of "
            + "\(rows.count) rows; a .tsv file has no quoting, so all of them are part of the text; if a program put them "
            + "there, save the file as .csv or .jsonl"
    }
}
