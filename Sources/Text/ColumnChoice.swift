import Diagnostics

/// Which cells of a row hold the texts and the label.
struct ColumnChoice {
    private let text: Int
    private let pair: Int?
    private let label: Int?
    private let columnCount: Int
    private let path: String
    private let format: TextFormat

    /// Finds the columns in a header.
    init(
        _ columns: TextColumns, header: [String], of path: String, _ format: TextFormat, line: Int
    ) throws(TextError) {
        if let offset = header.lazy.compactMap({ UnsortableText.offset(in: $0.utf8) }).first {
            throw .badData(path, line: line, "a column's name, \(UnsortableText.complaint(offset: offset))")
        }
        func index(of name: String) throws(TextError) -> Int {
            guard let index = header.firstIndex(of: name) else {
                let nearest =
                    nearestName(to: name, among: header).map { "; did you mean \(TextError.quoted($0))?" } ?? ""
                throw .badData(
                    path, line: line,
                    "the header has no column \(TextError.quoted(name)); found \(TextError.listed(header))\(nearest)")
            }
            guard header.lastIndex(of: name) == index else {
                throw .badData(path, line: line, "the header has two columns \(TextError.quoted(name)), expected one")
            }
            return index
        }
        text = try index(of: columns.text)
        pair = if let name = columns.textPair { try index(of: name) } else { nil }
        label = if let name = columns.label { try index(of: name) } else { nil }
        columnCount = header.count
        self.path = path
        self.format = format
    }

    /// Whether a blank line is no row. In a file of one column it is an empty cell.
    var skipsBlankLines: Bool { columnCount > 1 }

    /// The sample of a row of cells, of which there must be as many as the header has.
    func row(cellCount: Int, line: Int, cell: (Int) -> String) throws(TextError) -> TextRow {
        guard cellCount == columnCount else {
            throw .badData(
                path, line: line,
                "\(cellCount) cell\(cellCount == 1 ? "" : "s") in the row, expected \(columnCount) as in the header; "
                    + hint(isShort: cellCount < columnCount))
        }
        return TextRow(text: cell(text), textPair: pair.map(cell), label: label.map(cell), line: line)
    }

    private func hint(isShort: Bool) -> String {
        guard format == .tabSeparated else {
            return isShort ? "a cell is missing" : "a cell holds a comma and is not in quotes"
        }
        return (isShort ? "a cell is missing, or holds a line break" : "a cell holds a tab")
            + "; a .tsv file has no quoting, so save texts with tabs or line breaks as .csv or .jsonl"
    }
}
