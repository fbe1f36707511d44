import LinearAlgebra
public import MessagePassing
import Safetensors
import WeightMethods

/// What the tensors of a file, or of a model's folder, are like.
public struct WeightStatistics: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        public let tensor: String
        public let shape: [Int]
        public let dtype: String
        public let minimum: Double?
        public let maximum: Double?
        public let mean: Double
        public let standardDeviation: Double
        public let norm: Double
        public let zeros: Int
        public let notFinite: Int

        enum CodingKeys: String, CodingKey {
            case tensor, shape, dtype, minimum, maximum, mean, norm, zeros
            case standardDeviation = "standard_deviation"
            case notFinite = "not_finite"
        }
    }

    public let tensors: [Row]

    /// Collective. No process holds more than a piece of a tensor.
    ///
    /// - Parameter patterns: names of tensors, see ``TensorSelection``; none means all of floating point.
    public init(path: String, patterns: [String] = [], _ communicator: borrowing Communicator) throws {
        let source = try WeightSource(path: path)
        let chosen = try TensorSelection(
            patterns, among: source.tensors, need: .numbers, all: true, use: "statistics", path: path
        ).tensors
        let pieces = chosen.flatMap { tensor in
            stride(from: 0, to: tensor.count, by: WeightFileJob.pieceSize).map {
                (tensor: tensor, elements: $0..<min($0 + WeightFileJob.pieceSize, tensor.count))
            }
        }
        let results = try communicator.share(pieces.map { Double($0.elements.count) }) { index in
            let values = try source.floats(of: pieces[index].tensor, elements: pieces[index].elements)
            return values.withUnsafeBufferPointer { TensorStatistics(of: $0) }
        }
        var whole: [String: TensorStatistics] = [:]
        for (piece, result) in zip(pieces, results) {
            whole[piece.tensor.name, default: TensorStatistics()].append(result)
        }
        tensors = chosen.map { tensor in
            let statistics = whole[tensor.name] ?? TensorStatistics()
            return Row(
                tensor: tensor.name, shape: tensor.shape, dtype: tensor.elementType.rawValue,
                minimum: statistics.minimum, maximum: statistics.maximum, mean: statistics.mean,
                standardDeviation: statistics.standardDeviation, norm: statistics.norm, zeros: statistics.zeros,
                notFinite: statistics.notFinite)
        }
    }

    /// For people.
    public var text: String {
        let header = ["tensor", "shape", "type", "min", "max", "mean", "deviation", "norm", "zeros", "not finite"]
        return TextTable.text(
            header: header,
            rows: tensors.map { row in
                [row.tensor, TextTable.shape(row.shape), row.dtype]
                    + [row.minimum, row.maximum, row.mean, row.standardDeviation, row.norm].map { value in
                        value.map { TextTable.figure($0) } ?? "–"
                    } + [String(row.zeros), String(row.notFinite)]
            })
    }
}
