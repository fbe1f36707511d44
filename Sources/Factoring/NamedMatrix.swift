import Diagnostics
import Foundation
public import LinearAlgebra
import Safetensors
import Text

#if canImport(Glibc)
    import Glibc
#endif

/// A matrix that a user's file holds, with the names of its rows and columns where it has any.
public struct NamedMatrix {
    public let matrix: DoubleMatrix
    public let rowNames: [String]?
    public let columnNames: [String]?
    /// Whether the file's numbers are single precision or less.
    public let isSinglePrecision: Bool
    /// For messages: the file, and the tensor.
    public let source: String

    /// Reads a tensor of a `.safetensors` file, a `.npy` file, or lines `row TAB column TAB value` of any other file.
    ///
    /// - Parameter tensor: of a safetensors file; nil if it has one matrix only.
    /// - Throws: ``FactoringError``, `SafetensorsError`, `TextError` for a file that holds no matrix, or one with elements
    ///   that are not finite, or that does not fit into memory.
    public init(path: String, tensor: String?) throws {
        if path.hasSuffix(".safetensors") {
            try self.init(tensors: path, tensor: tensor)
            return
        }
        guard tensor == nil else {
            throw FactoringError(
                .usage, "\(path): --tensor \(tensor ?? "") chooses a tensor of a .safetensors file only")
        }
        if path.hasSuffix(".npy") {
            let file = try NumPyFile(path: path)
            try Self.checkSize(rows: file.rows, columns: file.columns, source: path)
            try self.init(
                DoubleMatrix(rows: file.rows, columns: file.columns, elements: file.doubles()),
                isSinglePrecision: file.isSinglePrecision, source: path)
            return
        }
        let table = try EntryTable(path: path)
        try Self.checkSize(rows: table.rowNames.count, columns: table.columnNames.count, source: path)
        let matrix = DoubleMatrix(rows: table.rowNames.count, columns: table.columnNames.count)
        for entry in table.entries { matrix[entry.row, entry.column] = entry.value }
        try self.init(
            matrix, rowNames: table.rowNames, columnNames: table.columnNames, isSinglePrecision: false, source: path)
    }

    private init(tensors path: String, tensor: String?) throws {
        let file = try SafetensorsFile(path: path)
        let matrices = file.tensorNames.filter { file.tensor(named: $0)?.shape.count == 2 }
        guard let name = tensor ?? (matrices.count == 1 ? matrices.first : nil) else {
            throw FactoringError(
                .usage,
                "\(path): holds \(matrices.count) matrices"
                    + (matrices.first.map { "; choose one, for instance --tensor \($0)" } ?? ", expected one"))
        }
        guard let description = file.tensor(named: name) else {
            let hint = nearestName(to: name, among: file.tensorNames).map { "; did you mean '\($0)'?" } ?? ""
            throw FactoringError(.usage, "\(path): no tensor '\(name)'\(hint)")
        }
        let source = "\(path): tensor '\(name)'"
        guard description.shape.count == 2 else {
            throw FactoringError(
                .badData, "\(source) has shape \(description.shape), expected a matrix, of two dimensions")
        }
        try Self.checkSize(rows: description.shape[0], columns: description.shape[1], source: source)
        try self.init(
            DoubleMatrix(
                rows: description.shape[0], columns: description.shape[1],
                elements: try file.doubles(of: name, shape: description.shape)),
            isSinglePrecision: description.elementType != .float64, source: source)
    }

    private init(
        _ matrix: DoubleMatrix, rowNames: [String]? = nil, columnNames: [String]? = nil, isSinglePrecision: Bool,
        source: String
    ) throws(FactoringError) {
        for index in 0..<matrix.count where !matrix.pointer[index].isFinite {
            throw FactoringError(
                .badData,
                "\(source): row \(index / matrix.columns), column \(index % matrix.columns) is \(matrix.pointer[index]), "
                    + "expected finite numbers")
        }
        guard matrix.sumOfSquares.isFinite else {
            throw FactoringError(
                .badData, "\(source): the sum of its squares is beyond double precision; scale the matrix down")
        }
        self.matrix = matrix
        self.rowNames = rowNames
        self.columnNames = columnNames
        self.isSinglePrecision = isSinglePrecision
        self.source = source
    }

    /// A matrix without elements has no singular values, and a file can name more rows and columns than memory holds.
    private static func checkSize(rows: Int, columns: Int, source: String) throws(FactoringError) {
        guard rows > 0, columns > 0 else {
            throw FactoringError(.badData, "\(source): \(rows) × \(columns), expected a matrix with elements")
        }
        // The matrix, its factors, and the work space of the decomposition.
        let bytesOfElement = 32
        let memory = max(sysconf(Int32(_SC_PHYS_PAGES)), 1) * max(sysconf(Int32(_SC_PAGESIZE)), 1)
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, count <= memory / bytesOfElement else {
            throw FactoringError(
                .badData,
                "\(source): \(rows) × \(columns) numbers, this machine's memory allows for \(memory / bytesOfElement)")
        }
    }

    public func rowName(_ index: Int) -> String { rowNames?[index] ?? String(index) }
    public func columnName(_ index: Int) -> String { columnNames?[index] ?? String(index) }
}
