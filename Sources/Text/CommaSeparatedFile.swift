import Diagnostics

/// A header and rows of cells as RFC 4180 has them: separated by commas, in double quotes where they hold a comma, a quote
/// (doubled) or a line break.
struct CommaSeparatedFile {
    private let file: FileContents
    private var position: Int
    private let end: Int
    private var line = 1
    /// The cells of the row that was read last.
    private var cells: [String] = []

    init(_ file: FileContents) {
        self.file = file
        position = file.start
        var end = file.bytes.count
        while end > position, TextLines.isLineEnd(file.bytes[end - 1]) { end -= 1 }
        self.end = end
    }

    func rows(_ columns: TextColumns) throws(TextError) -> [TextRow] {
        var reader = self
        guard reader.position < end else {
            throw TextError(.badData, "\(file.path): the file is empty, expected a header and rows")
        }
        try reader.readRow()
        let choice = try ColumnChoice(columns, header: reader.cells, path: file.path, line: 1)
        var rows: [TextRow] = []
        while reader.position < end {
            let line = reader.line
            try reader.readRow()
            rows.append(try choice.row(cellCount: reader.cells.count, line: line) { reader.cells[$0] })
        }
        return rows
    }

    private mutating func readRow() throws(TextError) {
        cells.removeAll(keepingCapacity: true)
        repeat {
            cells.append(try isAt("\"") ? quotedCell() : plainCell())
        } while take(",")
        if take("\r"), !isAt("\n"), position < end {
            throw .badData(file.path, line: line, "a carriage return between rows, expected line feeds or both")
        }
        if take("\n") { line += 1 }
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        position < end && file.bytes[position] == UInt8(ascii: character)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        position += 1
        return true
    }

    /// A cell without quotes around it; a quote inside is itself.
    private mutating func plainCell() -> String {
        let start = position
        while position < end, !isAt(","), !isAt("\n") { position += 1 }
        // The carriage return of a line's end is no part of the cell; any other is.
        if isAt("\n"), position > start, file.bytes[position - 1] == UInt8(ascii: "\r") { position -= 1 }
        return file.text(start..<position)
    }

    private mutating func quotedCell() throws(TextError) -> String {
        let firstLine = line
        position += 1
        var start = position
        var content = ""
        while position < end {
            switch file.bytes[position] {
            case UInt8(ascii: "\""):
                content += file.text(start..<position)
                position += 1
                // A doubled quote is one quote; its second half starts the next stretch.
                guard isAt("\"") else {
                    guard position == end || isAt(",") || isAt("\n") || isAt("\r") else {
                        throw .badData(
                            file.path, line: line,
                            "a character after a cell's closing quote, expected a comma or the line's end; "
                                + "quotes inside quotes are doubled")
                    }
                    return content
                }
                start = position
            case UInt8(ascii: "\n"):
                line += 1
            default: break
            }
            position += 1
        }
        throw .badData(file.path, line: firstLine, "a quote that is opened here is not closed")
    }
}
