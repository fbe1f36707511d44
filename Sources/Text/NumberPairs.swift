import Diagnostics

/// Two columns of numbers of a data file.
public struct NumberPairs: Sendable, Equatable {
    /// As many as `y`, in file order; at least one.
    public let x, y: [Double]

    /// - Parameters:
    ///   - path: a `.tsv` or `.csv` file with a header.
    ///   - x: the name of the first column.
    ///   - y: that of the second; may be the same.
    /// - Throws: as ``TextTable``, and `badData`, with the line, for a cell that is no finite decimal number.
    public init(path: String, x: String, y: String) throws(TextError) {
        guard try TextFormat(path: path) != .jsonLines else {
            throw TextError(.usage, "\(path): expected a .tsv or .csv file")
        }
        let table = try TextTable(path: path, columns: TextColumns(text: x, label: y))
        func number(_ text: String, _ column: String, line: Int) throws(TextError) -> Double {
            guard isDecimalNumber(text), let value = Double(text), value.isFinite else {
                throw .badData(
                    path, line: line,
                    "\(TextError.quoted(column)) is \(TextError.quoted(text)), expected a finite number")
            }
            return value
        }
        var (first, second) = ([Double](), [Double]())
        for row in table.rows {
            first.append(try number(row.text, x, line: row.line))
            second.append(try number(row.label ?? "", y, line: row.line))
        }
        (self.x, self.y) = (first, second)
    }
}

/// Whether a text has only characters of decimal numbers; Swift's own conversions would read hexadecimal numbers, too.
func isDecimalNumber(_ text: String) -> Bool {
    text.utf8.allSatisfy { byte in (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) }
}
