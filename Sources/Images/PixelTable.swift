import Diagnostics

/// Images as rows of comma-separated whole numbers: one number for each pixel, row by row, and a label.
struct PixelTable {
    let rows: [(pixels: [UInt8], label: Int)]
    let side: Int

    /// - Parameter labelColumn: the name of the label's column where the file has a header, or its number from 0; nil, or a
    ///   name where there is no header, means the last column.
    /// - Throws: ``ImagesError`` naming the line.
    init(_ file: DataFile, labelColumn: String?) throws(ImagesError) {
        let path = file.path
        let bytes = try file.contents(limit: ImageSet.mostBytes)
        var rows: [(pixels: [UInt8], label: Int)] = []
        var column: Int?
        var width = 0
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty { continue }
            let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            if column == nil {
                width = cells.count
                guard (2...ImageSet.mostPixels + 1).contains(width) else {
                    throw ImagesError(
                        .badData,
                        "\(path):\(number): \(width) cells, expected one for each pixel and one for the label, separated by commas"
                    )
                }
                let isHeader = cells.contains { Self.number(of: $0) == nil }
                column = try Self.column(labelColumn, header: isHeader ? cells : nil, width: width, path: path)
                if isHeader { continue }
            }
            guard cells.count == width, let column else {
                throw ImagesError(.badData, "\(path):\(number): \(cells.count) cells, expected \(width)")
            }
            var pixels: [UInt8] = []
            pixels.reserveCapacity(width - 1)
            var label = 0
            for (index, cell) in cells.enumerated() {
                let limit = index == column ? ImageSet.mostClasses - 1 : 255
                guard let value = Self.number(of: cell), value <= limit else {
                    throw ImagesError(
                        .badData,
                        "\(path):\(number): '\(String(decoding: cell.prefix(40), as: UTF8.self))' in column \(index), expected a "
                            + "whole number from 0 to \(limit)")
                }
                if index == column { label = value } else { pixels.append(UInt8(value)) }
            }
            rows.append((pixels, label))
        }
        let pixelCount = width - 1
        let side = Int(Double(max(pixelCount, 0)).squareRoot().rounded())
        guard !rows.isEmpty else { throw ImagesError(.badData, "\(path): no rows, expected images") }
        guard side * side == pixelCount else {
            throw ImagesError(
                .badData, "\(path): \(pixelCount) pixels in a row, expected a square number, as of a square image")
        }
        self.rows = rows
        self.side = side
    }

    private static func column(
        _ name: String?, header: [ArraySlice<UInt8>]?, width: Int, path: String
    ) throws(ImagesError) -> Int {
        if let name, let number = number(of: Array(name.utf8)[...]) {
            guard number < width else {
                throw ImagesError(.badData, "\(path): no column \(number) for the label, the last is \(width - 1)")
            }
            return number
        }
        guard let header, let name else { return width - 1 }
        guard let column = header.firstIndex(where: { $0.elementsEqual(name.utf8) }) else {
            throw ImagesError(
                .badData,
                "\(path):1: no column '\(name)' for the label; set data.label to its name, or its number from 0")
        }
        return column
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
