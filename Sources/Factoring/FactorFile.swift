public import Factorization
import Foundation
public import LinearAlgebra
public import Safetensors

/// The files that a factorisation leaves.
public enum FactorFile {
    /// Writes factors as a safetensors file of a new name: the factors under their letters, `singular_values`, and, of a matrix
    /// with names, `row_names` and `column_names`: bytes of UTF-8, a line for each.
    ///
    /// - Parameters:
    ///   - factors: A and B, or A, P and Q.
    ///   - elementType: float32 or float64.
    ///   - metadata: what the header says beside them.
    /// - Throws: `SafetensorsError`; also if the file exists.
    public static func write(
        _ factors: [(name: String, matrix: DoubleMatrix)], singularValues: [Double], names of: NamedMatrix,
        elementType: ElementType, metadata: [String: String], to path: String
    ) throws {
        func tensor(_ name: String, _ shape: [Int], _ values: @escaping () -> [Double]) -> TensorToWrite {
            TensorToWrite(name: name, elementType: elementType, shape: shape) {
                elementType == .float64 ? .doubles(values()) : .floats(values().map(Float.init))
            }
        }
        var tensors = factors.map { factor in
            tensor(factor.name, [factor.matrix.rows, factor.matrix.columns]) { factor.matrix.elements }
        }
        if !singularValues.isEmpty {
            tensors.append(tensor("singular_values", [singularValues.count]) { singularValues })
        }
        for (name, list) in [("row_names", of.rowNames), ("column_names", of.columnNames)] {
            guard let list else { continue }
            let bytes = Array(list.joined(separator: "\n").utf8)
            tensors.append(
                TensorToWrite(name: name, elementType: .uint8, shape: [bytes.count]) { .bytes(bytes) })
        }
        try DurableFile.create(path) { partial in
            try SafetensorsWriter.write(tensors, metadata: metadata, to: partial)
        }
    }

    /// Writes entries as lines `row TAB column TAB value`, six decimals, to a file of a new name.
    public static func write(_ entries: [Reconstruction.Entry], names: NamedMatrix, to path: String) throws {
        let contents = Data(entries.map { line($0, names: names) + "\n" }.joined().utf8)
        try DurableFile.create(path) { partial in try DurableFile.write(contents, to: partial) }
    }

    /// One entry as text.
    public static func line(_ entry: Reconstruction.Entry, names: NamedMatrix) -> String {
        "\(names.rowName(entry.row))\t\(names.columnName(entry.column))\t\(String(format: "%.6f", entry.value))"
    }
}
