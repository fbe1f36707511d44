import Diagnostics

/// A header and rows of cells, separated by tabs, without any quoting.
struct TabSeparatedFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var lines = TextLines(file)
        guard let header = lines.next() else {
            throw TextError(.badData, "\(file.path): the file is empty, expected a header and rows")
        }
        let choice = try ColumnChoice(columns, header: cells(of: header).map(file.text), path: file.path, line: 1)
        var rows: [TextRow] = []
        while let line = lines.next() {
            let cells = cells(of: line)
            rows.append(try choice.row(cellCount: cells.count, line: lines.number) { file.text(cells[$0]) })
        }
        return rows
    }

    private func cells(of line: Range<Int>) -> [Range<Int>] {
        file.bytes[line].split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(\.indices)
    }
}
