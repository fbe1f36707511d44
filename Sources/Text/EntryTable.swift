import Diagnostics

/// A sparse matrix as text: lines `row TAB column TAB value`, in which names stand for rows and columns.
public struct EntryTable: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// Index into `rowNames`.
        public let row: Int
        /// Index into `columnNames`.
        public let column: Int
        public let value: Double
    }

    /// In the order of their first lines.
    public let rowNames: [String]
    /// In the order of their first lines.
    public let columnNames: [String]
    /// In the order of the lines; each place once at most.
    public let entries: [Entry]

    /// Reads a file of UTF-8 text without a header.
    ///
    /// - Throws: ``TextError``, naming the line: three cells, names that are not empty, a finite number, each place once.
    public init(path: String) throws(TextError) {
        let file = try FileContents(path: path).checkedForNames()
        var rows = Names()
        var columns = Names()
        var entries: [Entry] = []
        var places: Set<SIMD2<Int>> = []
        var lines = TextLines(file)
        while let line = lines.next() {
            let cells = file.bytes[line].split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            guard cells.count == 3, !cells[0].isEmpty, !cells[1].isEmpty else {
                throw .badData(
                    path, line: lines.number,
                    "\(TextError.quoted(file.text(line))), expected row, column and value with tabs between them")
            }
            let text = file.text(cells[2].indices)
            guard let value = Double(text), value.isFinite else {
                throw .badData(
                    path, line: lines.number, "the value is \(TextError.quoted(text)), expected a finite number")
            }
            let entry = Entry(
                row: rows.index(of: file.text(cells[0].indices)),
                column: columns.index(of: file.text(cells[1].indices)),
                value: value)
            guard places.insert(SIMD2(entry.row, entry.column)).inserted else {
                throw .badData(
                    path, line: lines.number,
                    "row \(TextError.quoted(rows.names[entry.row])) and column "
                        + "\(TextError.quoted(columns.names[entry.column])) stand twice; give each place one line")
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else {
            throw TextError(.badData, "\(path): no entries, expected lines of row, column and value")
        }
        rowNames = rows.names
        columnNames = columns.names
        self.entries = entries
    }

    /// Names numbered as they come.
    private struct Names {
        private(set) var names: [String] = []
        private var indices: [[UInt8]: Int] = [:]

        /// Compared by their bytes, as they stand in the file.
        mutating func index(of name: String) -> Int {
            let key = Array(name.utf8)
            if let index = indices[key] { return index }
            indices[key] = names.count
            names.append(name)
            return names.count - 1
        }
    }
}
