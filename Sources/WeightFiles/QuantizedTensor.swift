import Diagnostics
import Foundation
import Safetensors
import WeightMethods

/// A quantised tensor of a file: its codes are the tensor `NAME.codes`, its ranges `NAME.ranges`, and what else must be known
/// stands in the file's metadata. See `docs/weights.md`.
struct QuantizedTensor: Equatable {
    /// The metadata's key.
    static let metadataKey = "rankwise.quantized"

    /// Of the tensor before it was quantised.
    let name: String
    let elementType: ElementType
    let shape: [Int]
    let bits: Int
    /// Weights that share a range; nil where the whole tensor does.
    let group: Int?

    var codesName: String { Self.partNames(of: name)[0] }
    var rangesName: String { Self.partNames(of: name)[1] }
    static func partNames(of name: String) -> [String] { [name + ".codes", name + ".ranges"] }

    var matrixShape: (rows: Int, columns: Int) {
        shape.count > 1 ? (shape[0], shape.dropFirst().reduce(1, *)) : (1, shape.first ?? 1)
    }

    /// Codes and ranges, as tensors of a file.
    var entries: [SafetensorsLayout.Entry] {
        let (rows, columns) = matrixShape
        return [
            .init(
                name: codesName, elementType: .uint8,
                shape: [rows, QuantizedMatrix.bytesPerRow(columns: columns, bits: bits)]),
            .init(
                name: rangesName, elementType: .float32,
                shape: group == nil ? [2] : [rows, QuantizedMatrix.groupsPerRow(columns: columns, group: group), 2]),
        ]
    }

    /// What the metadata says of one tensor.
    private struct Record: Codable {
        let dtype: String
        let shape: [Int]
        let bits: Int
        let group: Int
    }

    private struct Document: Codable {
        let version: Int
        let tensors: [String: Record]
    }

    private static let version = 1

    /// The metadata's value for some tensors.
    static func metadata(_ tensors: [QuantizedTensor]) throws -> String {
        let records = tensors.map {
            ($0.name, Record(dtype: $0.elementType.rawValue, shape: $0.shape, bits: $0.bits, group: $0.group ?? 0))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = Document(version: version, tensors: Dictionary(records) { first, _ in first })
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    /// The quantised tensors of a file, in the order of their codes, each checked against the tensors that hold it.
    static func all(of file: SafetensorsFile) throws(WeightFileError) -> [QuantizedTensor] {
        guard let text = file.metadata[metadataKey] else { return [] }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else {
            throw WeightFileError(
                .badData,
                "\(file.path): metadata '\(metadataKey)' is not what 'rankwise weights quantize' writes; the file is damaged"
            )
        }
        guard document.version == version else {
            throw WeightFileError(
                .badData,
                "\(file.path): quantised in version \(document.version) of the format, expected \(version); use a newer rankwise"
            )
        }
        var found: [QuantizedTensor] = []
        for (name, record) in document.tensors.sorted(by: { $0.key < $1.key }) {
            guard let tensor = QuantizedTensor(name, record),
                tensor.entries.allSatisfy({ entry in
                    file.tensor(named: entry.name).map {
                        $0.elementType == entry.elementType && $0.shape == entry.shape
                    }
                        ?? false
                }), file.tensor(named: name) == nil
            else {
                throw WeightFileError(
                    .badData,
                    "\(file.path): quantised tensor '\(name)': dtype, shape, bits or group do not fit its codes and ranges; "
                        + "the file is damaged")
            }
            found.append(tensor)
        }
        let places = Dictionary(file.tensorNames.enumerated().map { ($1, $0) }) { first, _ in first }
        return found.sorted { places[$0.codesName] ?? 0 < places[$1.codesName] ?? 0 }
    }

    init(name: String, elementType: ElementType, shape: [Int], bits: Int, group: Int?) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.bits = bits
        self.group = group
    }

    /// Nil where a count is impossible.
    private init?(_ name: String, _ record: Record) {
        guard let type = ElementType(rawValue: record.dtype), type.isConvertible, (1...16).contains(record.bits),
            record.group >= 0
        else { return nil }
        // Room for the codes' bits and for any type's bytes.
        var size = 16
        for dimension in record.shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            guard !overflow, dimension > 0 else { return nil }
            size = product
        }
        self.init(
            name: name, elementType: type, shape: record.shape, bits: record.bits,
            group: record.group == 0 ? nil : record.group)
    }
}
