import Diagnostics
import LinearAlgebra
import NeuralNetwork
import Safetensors
import WeightMethods

/// In which codes frozen matrices are held.
public struct WeightQuantization: Sendable, Equatable {
    /// 8 or 4.
    public let bits: Int
    /// Neighbours in a row that share a range: an even number.
    public let group: Int

    public init(bits: Int, group: Int) {
        self.bits = bits
        self.group = group
    }
}

/// Where the codes and ranges of some tensors lie, in one piece of memory.
struct QuantizedPlaces {
    private struct Place {
        let tensor: TensorDescription
        /// In floats, from the start of the memory.
        let codes: Int
        let ranges: Int
        var rows: Int { tensor.shape[0] }
        var columns: Int { tensor.shape[1] }
    }

    private let quantization: WeightQuantization?
    private let tensors: TensorFolder
    private var places: [Place] = []
    private var count = 0

    /// - Parameters:
    ///   - quantization: nil quantises none.
    ///   - names: of the tensors; those that are no matrices of numbers are left out.
    init(quantization: WeightQuantization?, names: [String], tensors: TensorFolder) {
        self.quantization = quantization
        self.tensors = tensors
        guard let quantization else { return }
        // Each part starts at a cache line.
        func append(floats: Int) -> Int {
            defer { count += (floats + 15) / 16 * 16 }
            return count
        }
        for name in names {
            guard let tensor = tensors.tensor(named: name), tensor.shape.count == 2, tensor.elementType.isConvertible
            else { continue }
            let (rows, columns) = (tensor.shape[0], tensor.shape[1])
            let bytes = rows * QuantizedMatrix.bytesPerRow(columns: columns, bits: quantization.bits)
            let ends = 2 * rows * QuantizedMatrix.groupsPerRow(columns: columns, group: quantization.group)
            places.append(Place(tensor: tensor, codes: append(floats: (bytes + 3) / 4), ranges: append(floats: ends)))
        }
    }

    var names: [String] { places.map(\.tensor.name) }

    /// Quantises the tensors, and lets go of the memory that reading them took.
    func filled(_ storage: any ConvertedWeights) throws -> [String: QuantizedRows] {
        guard let quantization, !places.isEmpty else { return [:] }
        let base = try storage.memory(count: count) { memory in
            for place in places { try fill(place, quantization, memory) }
            for file in tensors.files { file.releasePages() }
        }
        let bytes = UnsafeRawPointer(base).assumingMemoryBound(to: UInt8.self)
        let panel = Matrix()
        return Dictionary(
            places.map { place in
                (
                    place.tensor.name,
                    QuantizedRows(
                        codes: bytes + place.codes * MemoryLayout<Float>.size, ranges: base + place.ranges,
                        rows: place.rows, columns: place.columns, bits: quantization.bits, group: quantization.group,
                        panel: panel)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Row by row, so that no more than a row of codes lies in memory twice.
    private func fill(
        _ place: Place, _ quantization: WeightQuantization, _ memory: UnsafeMutablePointer<Float>
    ) throws {
        let name = place.tensor.name
        let mapped = try tensors.mappedFloats(of: name, shape: place.tensor.shape)
        let converted = mapped == nil ? try tensors.floats(of: name, shape: place.tensor.shape) : []
        var codes = UnsafeMutableRawPointer(memory + place.codes).assumingMemoryBound(to: UInt8.self)
        var ranges = memory + place.ranges
        try converted.withUnsafeBufferPointer { converted in
            guard let weights = (mapped ?? converted).baseAddress else { return }
            for row in 0..<place.rows {
                let view = MatrixView(base: weights + row * place.columns, rows: 1, columns: place.columns)
                let quantized: QuantizedMatrix
                do {
                    quantized = try QuantizedMatrix(view, bits: quantization.bits, group: quantization.group)
                } catch {
                    throw ModelError(
                        .badData, "\(tensors.path): tensor '\(name)', row \(row): \(error); it cannot be quantised")
                }
                codes.update(from: quantized.codes, count: quantized.codes.count)
                ranges.update(from: quantized.ranges, count: quantized.ranges.count)
                codes += quantized.codes.count
                ranges += quantized.ranges.count
            }
        }
    }
}
