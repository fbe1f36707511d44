import Foundation

/// Columns that line up: the first to the left, the others to the right.
enum TextTable {
    static func text(header: [String], rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            cells.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return column == 0 ? cells[column] + space : space + cells[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Six significant digits.
    static func figure(_ value: Double) -> String { String(format: "%.6g", value) }

    static func shape(_ shape: [Int]) -> String { shape.isEmpty ? "–" : shape.map(String.init).joined(separator: "×") }
}
