import Diagnostics
import Tables

/// Images as rows of comma-separated whole numbers: one number for each pixel, row by row, and a label.
///
/// A byte order mark, quotes and spaces around cells, and blank lines are passed over. The first row is a header if it has
/// the label's name, or nothing in it is a number; so damage in a first row of numbers does not make it one.
struct PixelTable {
    /// [images, side, side].
    private(set) var pixels: [UInt8] = []
    /// Empty where none are read.
    private(set) var labels: [Int] = []
    private(set) var side = 0
    private let path: String

    /// - Parameters:
    ///   - labelColumn: the name of the label's column where the file has a header, or its number from 0; nil, or a
    ///     name where there is no header, means the last column.
    ///   - readsLabels: if not, the file may do without, and is taken to have none where the number of its columns, or its
    ///     header, says so.
    /// - Throws: ``ImagesError`` naming the line.
    init(_ file: DataFile, labelColumn: String?, readsLabels: Bool = true) throws(ImagesError) {
        path = file.path
        let bytes = try file.contents(limit: ImageSet.mostBytes)
        var reader = CommaSeparatedRows(bytes, trimsSpaces: true)
        var layout: Layout?
        while try advance(&reader) {
            if reader.isBlank { continue }
            let cells = reader.cells
            guard let layout else {
                let first = try self.layout(of: reader, in: bytes, labelColumn, readsLabels: readsLabels)
                layout = first
                side = first.side
                if !first.isHeader { try append(cells, of: bytes, first, readsLabels: readsLabels, line: reader.line) }
                continue
            }
            try append(cells, of: bytes, layout, readsLabels: readsLabels, line: reader.line)
        }
        guard !pixels.isEmpty else { throw ImagesError(.badData, "\(path): no rows, expected images") }
    }

    /// What the first row says of all.
    private struct Layout {
        let isHeader: Bool
        let width: Int
        /// nil: there are no labels.
        let labelColumn: Int?
        let side: Int
    }

    private func advance(_ reader: inout CommaSeparatedRows) throws(ImagesError) -> Bool {
        do {
            return try reader.next()
        } catch {
            throw ImagesError(.badData, "\(path):\(error.line): \(error.message)")
        }
    }

    private func layout(
        of reader: CommaSeparatedRows, in bytes: [UInt8], _ labelColumn: String?, readsLabels: Bool
    ) throws(ImagesError) -> Layout {
        let width = reader.cells.count
        guard (1...ImageSet.mostPixels + 1).contains(width), width > 1 || !readsLabels else {
            throw ImagesError(
                .badData,
                "\(path):\(reader.line): \(width) cells, expected one for each pixel and one for the label, separated by commas"
            )
        }
        let header = header(reader, in: bytes, labelColumn)
        let hasOnlyPixels = !readsLabels && Self.side(of: width) != nil
        var column: Int?
        if let header, let labelColumn, Self.number(of: Array(labelColumn.utf8)[...]) == nil {
            column = header.firstIndex { $0.utf8.elementsEqual(labelColumn.utf8) }
            guard column != nil || hasOnlyPixels else {
                throw ImagesError(
                    .badData,
                    "\(path):\(reader.line): no column '\(labelColumn)' for the label; set data.label to its name, or its number "
                        + "from 0")
            }
        } else if !hasOnlyPixels {
            column = try self.column(labelColumn, width: width)
        }
        let pixelCount = column == nil ? width : width - 1
        guard let side = Self.side(of: pixelCount) else {
            throw ImagesError(
                .badData, "\(path): \(pixelCount) pixels in a row, expected a square number, as of a square image")
        }
        return Layout(isHeader: header != nil, width: width, labelColumn: column, side: side)
    }

    /// The names in the first row; nil if it is no header.
    private func header(_ reader: CommaSeparatedRows, in bytes: [UInt8], _ labelColumn: String?) -> [String]? {
        let names = reader.cells.map(reader.text)
        // Not compared as texts, which may take long: a file can hold anything.
        let isNamed = names.contains { name in
            labelColumn.map { name.utf8.elementsEqual($0.utf8) && !Self.isNumber($0) } ?? false
                || name.utf8.count == 5 && name.lowercased() == "label"
        }
        guard isNamed || !names.contains(where: Self.isNumber) && names.contains(where: { !$0.isEmpty }) else {
            return nil
        }
        return names
    }

    private func column(_ name: String?, width: Int) throws(ImagesError) -> Int {
        guard let name, let number = Self.number(of: Array(name.utf8)[...]) else { return width - 1 }
        guard number < width else {
            throw ImagesError(.badData, "\(path): no column \(number) for the label, the last is \(width - 1)")
        }
        return number
    }

    private mutating func append(
        _ cells: [CommaSeparatedRows.Cell], of bytes: [UInt8], _ layout: Layout, readsLabels: Bool, line: Int
    ) throws(ImagesError) {
        guard cells.count == layout.width else {
            throw ImagesError(.badData, "\(path):\(line): \(cells.count) cells, expected \(layout.width)")
        }
        for (index, cell) in cells.enumerated() {
            let isLabel = index == layout.labelColumn
            if isLabel, !readsLabels { continue }
            let limit = isLabel ? ImageSet.mostClasses - 1 : 255
            guard let value = Self.number(of: bytes[cell.range]), value <= limit else {
                throw ImagesError(
                    .badData,
                    "\(path):\(line): '\(String(decoding: bytes[cell.range].prefix(40), as: UTF8.self))' in column \(index), "
                        + "expected a whole number from 0 to \(limit)"
                        + (pixels.count < layout.side * layout.side
                            ? "; if this row is a header, set data.label to the label's name in it" : ""))
            }
            if isLabel { labels.append(value) } else { pixels.append(UInt8(value)) }
        }
    }

    /// The side of a square of so many pixels.
    private static func side(of pixelCount: Int) -> Int? {
        let side = Int(Double(pixelCount).squareRoot().rounded())
        return pixelCount > 0 && side * side == pixelCount ? side : nil
    }

    /// Whether a cell is a number of any kind, also one that no pixel can be.
    private static func isNumber(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) } && Double(text) != nil
    }

    /// Decimal digits, as a number that fits; `12.0` counts as 12.
    private static func number(of cell: ArraySlice<UInt8>) -> Int? {
        var cell = cell
        if let point = cell.firstIndex(of: UInt8(ascii: ".")),
            cell[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") })
        {
            cell = cell[..<point]
        }
        guard !cell.isEmpty, cell.count <= 9 else { return nil }
        var value = 0
        for byte in cell {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = 10 * value + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
