import Diagnostics
import Tables

/// A header and rows of cells as RFC 4180 has them.
struct CommaSeparatedFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var reader = CommaSeparatedRows(file.bytes)
        repeat {
            guard try advance(&reader) else {
                throw TextError(.badData, "\(file.path): the file is empty, expected a header and rows")
            }
        } while reader.isBlank
        let choice = try ColumnChoice(
            columns, header: reader.cells.map(reader.text), of: file.path, .commaSeparated, line: reader.line)
        var rows: [TextRow] = []
        while try advance(&reader) {
            if choice.skipsBlankLines, reader.isBlank { continue }
            let cells = reader.cells
            rows.append(try choice.row(cellCount: cells.count, line: reader.line) { reader.text(cells[$0]) })
        }
        return rows
    }

    private func advance(_ reader: inout CommaSeparatedRows) throws(TextError) -> Bool {
        do {
            return try reader.next()
        } catch {
            throw .badData(file.path, line: error.line, error.message)
        }
    }
}
