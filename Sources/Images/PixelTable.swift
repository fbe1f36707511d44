import Diagnostics

/// Images as rows of comma-separated whole numbers: one number for each pixel, row by row, and perhaps a label.
///
/// A byte order mark, blank lines, spaces around a number and quotes around it are passed over. The first row is a header if it
/// names the label's column, or if none of its cells is a number.
struct PixelTable {
    typealias Row = (pixels: [UInt8], label: Int?)

    let rows: [Row]
    let side: Int

    /// - Parameters:
    ///   - labelColumn: the name of the label's column where the file has a header, or its number from 0; nil, or a name where
    ///     there is no header, means the last column.
    ///   - labelsAreOptional: whether rows without a label will do: those of a file whose header lacks its name, or that has no
    ///     header and as many cells in a row as a square has pixels.
    /// - Throws: ``ImagesError`` naming the line.
    init(_ file: DataFile, labelColumn: String?, labelsAreOptional: Bool = false) throws(ImagesError) {
        let bytes = try file.contents(limit: ImageSet.mostBytes)
        var layout: Layout?
        var rows: [Row] = []
        var number = 0
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let cells = Self.cells(of: line)
            if cells.count == 1, cells[0].isEmpty { continue }
            let place = "\(file.path):\(number)"
            guard let layout else {
                let (made, isHeader) = try Layout.made(
                    of: cells, labelColumn: labelColumn, labelsAreOptional: labelsAreOptional, place: place)
                layout = made
                if !isHeader { rows.append(try made.row(cells, place: place)) }
                continue
            }
            rows.append(try layout.row(cells, place: place))
        }
        guard let layout, !rows.isEmpty else {
            throw ImagesError(.badData, "\(file.path): no rows, expected images")
        }
        guard let side = Self.side(ofSquare: layout.pixelCount) else {
            throw ImagesError(
                .badData,
                "\(file.path): \(layout.pixelCount) pixels in a row, expected a square number, as of a square image")
        }
        self.rows = rows
        self.side = side
    }

    /// The side of a square of so many pixels; nil if there is none.
    private static func side(ofSquare pixels: Int) -> Int? {
        let side = Int(Double(max(pixels, 0)).squareRoot().rounded())
        return side > 0 && side * side == pixels ? side : nil
    }

    /// The cells of a line, without the spaces and the quotes around them.
    private static func cells(of line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\r") }
        var cells: [ArraySlice<UInt8>] = []
        var (start, isQuoted) = (line.startIndex, false)
        func cell(endingAt end: Int) -> ArraySlice<UInt8> {
            var cell = line[start..<end].drop(while: isBlank)
            while let last = cell.last, isBlank(last) { cell.removeLast() }
            let quote = UInt8(ascii: "\"")
            return cell.count >= 2 && cell.first == quote && cell.last == quote ? cell.dropFirst().dropLast() : cell
        }
        for index in line.indices {
            if line[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
            guard line[index] == UInt8(ascii: ","), !isQuoted else { continue }
            cells.append(cell(endingAt: index))
            start = index + 1
        }
        return cells + [cell(endingAt: line.endIndex)]
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

    private static func text(_ cell: ArraySlice<UInt8>) -> String { String(decoding: cell.prefix(40), as: UTF8.self) }

    /// Which cells of a row are what.
    private struct Layout {
        let width: Int
        /// Of the label; nil where there is none.
        let column: Int?

        var pixelCount: Int { width - (column == nil ? 0 : 1) }

        /// The layout that the first row shows, and whether that is a header.
        static func made(
            of cells: [ArraySlice<UInt8>], labelColumn: String?, labelsAreOptional: Bool, place: String
        ) throws(ImagesError) -> (layout: Layout, isHeader: Bool) {
            let width = cells.count
            guard (2...ImageSet.mostPixels + 1).contains(width) else {
                throw ImagesError(
                    .badData,
                    "\(place): \(width) cells, expected one for each pixel and one for the label, separated by commas")
            }
            let named = labelColumn.flatMap { name in cells.firstIndex { $0.elementsEqual(name.utf8) } }
            let columnNumber = labelColumn.flatMap { number(of: Array($0.utf8)[...]) }
            let isHeader = (named != nil && columnNumber == nil) || cells.allSatisfy { number(of: $0) == nil }
            if let columnNumber {
                guard columnNumber < width else {
                    throw ImagesError(
                        .badData, "\(place): no column \(columnNumber) for the label, the last is \(width - 1)")
                }
                return (Layout(width: width, column: columnNumber), isHeader)
            }
            guard isHeader else {
                let isBare = labelsAreOptional && side(ofSquare: width) != nil && side(ofSquare: width - 1) == nil
                return (Layout(width: width, column: isBare ? nil : width - 1), false)
            }
            guard named != nil || labelsAreOptional || labelColumn == nil else {
                throw ImagesError(
                    .badData,
                    "\(place): no column '\(labelColumn ?? "")' for the label; set data.label to its name, or its number from 0"
                )
            }
            let last = labelColumn == nil && !labelsAreOptional ? width - 1 : nil
            return (Layout(width: width, column: named ?? last), true)
        }

        func row(_ cells: [ArraySlice<UInt8>], place: String) throws(ImagesError) -> Row {
            guard cells.count == width else {
                throw ImagesError(.badData, "\(place): \(cells.count) cells, expected \(width)")
            }
            var pixels: [UInt8] = []
            pixels.reserveCapacity(pixelCount)
            var label: Int?
            for (index, cell) in cells.enumerated() {
                let limit = index == column ? ImageSet.mostClasses - 1 : 255
                guard let value = number(of: cell), value <= limit else {
                    throw ImagesError(
                        .badData,
                        "\(place): '\(text(cell))' in column \(index), expected a whole number from 0 to \(limit)")
                }
                if index == column { label = value } else { pixels.append(UInt8(value)) }
            }
            return (pixels, label)
        }
    }
}
