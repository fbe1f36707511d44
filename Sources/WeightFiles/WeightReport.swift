import Foundation
import Safetensors
import WeightMethods

/// What a method did to a file.
public struct WeightReport: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        public let tensor: String
        public let shape: [Int]
        /// The types of the format before and after.
        public let dtype: [String]
        public let bytes: [Int]
        public let norm: [Double]
        public let zeros: [Int]
        public let changed: Int
        public let largestChange: Double
        /// Rows of zeros that could not be normalised.
        public let zeroRows: Int?
        /// σ_max before.
        public let spectralNorm: Double?

        enum CodingKeys: String, CodingKey {
            case tensor, shape, dtype, bytes, norm, zeros, changed
            case largestChange = "largest_change"
            case zeroRows = "zero_rows"
            case spectralNorm = "spectral_norm"
        }
    }

    public let method: String
    public let tensors: [Row]
    /// Tensors that stayed as they are.
    public let copied: Int
    /// Of the whole file, before and after.
    public let bytes: [Int]

    init(_ job: WeightFileJob, _ results: [TensorChange?]) {
        var changes = [TensorChange?](repeating: nil, count: job.targets.count)
        for (piece, result) in zip(job.pieces, results) {
            guard case .change(let target, _) = piece, let result else { continue }
            if changes[target] == nil { changes[target] = result } else { changes[target]?.append(result) }
        }
        method = job.method.name
        var isNormalization = false
        if case .normalize = job.method { isNormalization = true }
        tensors = zip(job.targets, changes).compactMap { target, change in
            guard let change else { return nil }
            return Row(
                tensor: target.name, shape: target.shape,
                dtype: [target.types.before.rawValue, target.types.after.rawValue],
                bytes: [target.bytes.before, target.bytes.after], norm: [change.before.norm, change.after.norm],
                zeros: [change.before.zeros, change.after.zeros], changed: change.changed,
                largestChange: change.largestChange, zeroRows: isNormalization ? change.zeroRows : nil,
                spectralNorm: change.spectralNorm)
        }
        let quantized = job.targets.reduce(0) { $0 + ($1.types.before == .uint8 ? 2 : 1) }
        copied = job.input.tensorNames.count - quantized
        bytes = [job.input.byteCount, job.layout.byteCount]
    }

    /// For people.
    public var text: String {
        var header = ["tensor", "shape", "type", "norm", "", "zeros", "", "changed", "largest change"]
        let hasSpectralNorm = tensors.contains { $0.spectralNorm != nil }
        if hasSpectralNorm { header.append("σ_max was") }
        let rows = tensors.map { row in
            [
                row.tensor, TextTable.shape(row.shape),
                row.dtype[0] == row.dtype[1] ? row.dtype[0] : row.dtype.joined(separator: "→"),
                TextTable.figure(row.norm[0]), "→ " + TextTable.figure(row.norm[1]), String(row.zeros[0]),
                "→ \(row.zeros[1])",
                String(row.changed), TextTable.figure(row.largestChange),
            ] + (hasSpectralNorm ? [row.spectralNorm.map { TextTable.figure($0) } ?? ""] : [])
        }
        var lines = [TextTable.text(header: header, rows: rows)]
        for row in tensors {
            if let count = row.zeroRows, count > 0 {
                lines.append(
                    "\(row.tensor): \(count) row\(count == 1 ? "" : "s") of zeros stay\(count == 1 ? "s" : "")")
            }
            if row.spectralNorm == 0 { lines.append("\(row.tensor): a matrix of zeros stays") }
        }
        lines.append(
            "\(method): \(tensors.count) tensor\(tensors.count == 1 ? "" : "s"), \(copied) copied; "
                + "\(bytes[0]) bytes → \(bytes[1])")
        return lines.joined(separator: "\n")
    }
}
