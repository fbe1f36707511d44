import Diagnostics
public import LinearAlgebra
import Safetensors

/// The frozen tensors of a model folder: float32 is used in place, in the mapped file that the processes of a machine
/// share; half precision is converted once.
public final class FrozenWeights {
    private let tensors: TensorFolder
    private let prefix: String
    private var converted: [String: Matrix] = [:]

    /// - Parameter prefixes: what tensor names may start with, tried in this order (for instance `bert.` and nothing).
    /// - Parameter probe: the name of a tensor that every model of the family has, without prefix.
    public init(folder: String, prefixes: [String], probe: String) throws {
        let tensors = try TensorFolder(path: folder)
        guard let prefix = prefixes.first(where: { tensors.tensor(named: $0 + probe) != nil }) else {
            let names = prefixes.map { "'\($0 + probe)'" }.joined(separator: " or ")
            throw ModelError(
                .badData,
                "\(folder)/model.safetensors: no tensor \(names), found for instance "
                    + "'\(tensors.tensorNames.first ?? "none")'; is this a model of the family that config.json names?")
        }
        self.tensors = tensors
        self.prefix = prefix
    }

    /// Whether the folder has this tensor.
    public func has(_ name: String) -> Bool { tensors.tensor(named: prefix + name) != nil }

    /// A matrix of the given shape.
    public func matrix(_ name: String, rows: Int, columns: Int) throws -> MatrixView {
        MatrixView(base: try floats(name, shape: [rows, columns]), rows: rows, columns: columns)
    }

    /// A vector of the given length.
    public func vector(_ name: String, count: Int) throws -> UnsafePointer<Float> {
        try floats(name, shape: [count])
    }

    private func floats(_ name: String, shape: [Int]) throws -> UnsafePointer<Float> {
        let name = prefix + name
        if let mapped = try tensors.mappedFloats(of: name, shape: shape), let base = mapped.baseAddress { return base }
        if let matrix = converted[name] { return matrix.view.base }
        let elements = try tensors.floats(of: name, shape: shape)
        let matrix = Matrix(rows: 1, columns: elements.count, elements: elements)
        converted[name] = matrix
        return matrix.view.base
    }
}
