import Diagnostics

/// A header and rows of cells, separated by tabs, without any quoting.
struct TabSeparatedFile {
    private let file: FileContents

    init(_ file: FileContents) { self.file = file }

    /// - Parameter remarks: gets a line where cells look as if another program had quoted them.
    func rows(_ columns: TextColumns, remarks: inout [String]) throws(TextError) -> [TextRow] {
        var lines = TextLines(file)
        guard let header = lines.next() else {
            throw TextError(.badData, "\(file.path): the file is empty, expected a header and rows")
        }
        let choice = try ColumnChoice(
            columns, header: cells(of: header).map(file.text), path: file.path, line: lines.number)
        var rows: [TextRow] = []
        var firstQuoted: Int?
        while let line = lines.next() {
            let cells = cells(of: line)
            let isQuoted = cells.contains { file.bytes[$0].first == UInt8(ascii: "\"") }
            let hint =
                isQuoted ? "; a .tsv file has no quoting, use .csv or .jsonl for texts with tabs or line breaks" : ""
            rows.append(
                try choice.row(cellCount: cells.count, line: lines.number, hint: hint) { file.text(cells[$0]) })
            if isQuoted, firstQuoted == nil, cells.contains(where: looksQuoted) { firstQuoted = lines.number }
        }
        if let firstQuoted {
            remarks.append(
                "\(file.path):\(firstQuoted): a cell in quotes that holds doubled quotes; a .tsv file has no quoting, so that all "
                    + "quotes are read as part of the text; if another program wrote them, save the file as .csv")
        }
        return rows
    }

    /// Whether a cell begins and ends with a quote and holds doubled ones, as writers of quoted cells leave it.
    private func looksQuoted(_ cell: Range<Int>) -> Bool {
        let bytes = file.bytes[cell]
        let quote = UInt8(ascii: "\"")
        guard bytes.count > 3, bytes.first == quote, bytes.last == quote else { return false }
        return file.text(cell).dropFirst().dropLast().contains("\"\"")
    }

    private func cells(of line: Range<Int>) -> [Range<Int>] {
        file.bytes[line].split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(\.indices)
    }
}
