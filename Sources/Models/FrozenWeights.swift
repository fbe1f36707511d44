import Diagnostics
import LinearAlgebra
import NeuralNetwork
import Safetensors

/// Memory for the weights that cannot be used as they lie in their file.
public protocol ConvertedWeights: AnyObject {
    /// Memory that lives as long as this object.
    ///
    /// - Parameters:
    ///   - count: of floats.
    ///   - fill: writes them; where processes share the memory, it is called on one of them alone.
    func memory(count: Int, fill: (UnsafeMutablePointer<Float>) throws -> Void) throws -> UnsafePointer<Float>
}

/// Memory of this process alone.
public final class PrivateWeights: ConvertedWeights {
    private var matrices: [Matrix] = []

    public init() {}

    public func memory(
        count: Int, fill: (UnsafeMutablePointer<Float>) throws -> Void
    ) throws -> UnsafePointer<Float> {
        let matrix = Matrix(rows: 1, columns: count)
        try fill(matrix.pointer)
        matrices.append(matrix)
        return matrix.view.base
    }
}

/// The frozen tensors of a model folder: float32 is used in place, in the mapped file that the processes of a machine
/// share; half precision is converted once.
public final class FrozenWeights {
    private let tensors: TensorFolder
    /// What the names of the family's tensors begin with, and what they do in the files.
    private let root: String
    private let prefix: String
    private let storage: any ConvertedWeights
    private let own = PrivateWeights()
    private var converted: [String: UnsafePointer<Float>] = [:]
    private var quantized: [String: QuantizedRows] = [:]

    /// - Parameters:
    ///   - root: what the names of tensors start with, or lack in the files (for instance `bert.`).
    ///   - probe: a tensor that every model of the family has.
    ///   - storage: for what has to be converted.
    ///   - quantization: in which some matrices are held; nil leaves all as they are.
    ///   - isQuantized: whether a tensor is one of these.
    public init(
        folder: String, root: String = "", probe: String, storage: any ConvertedWeights,
        quantization: WeightQuantization? = nil, isQuantized: (_ name: String) -> Bool = { _ in false }
    ) throws {
        let tensors = try TensorFolder(path: folder)
        let bare = String(probe.dropFirst(root.count))
        let prefixes = root.isEmpty ? [""] : [root, ""]
        guard let prefix = prefixes.first(where: { tensors.tensor(named: $0 + bare) != nil }) else {
            let names = prefixes.map { "'\($0 + bare)'" }.joined(separator: " or ")
            throw ModelError(
                .badData,
                "\(folder)/model.safetensors: no tensor \(names), found for instance "
                    + "'\(tensors.tensorNames.first ?? "none")'; is this a model of the family that config.json names?")
        }
        self.tensors = tensors
        self.root = root
        self.prefix = prefix
        self.storage = storage
        let places = QuantizedPlaces(
            quantization: quantization,
            names: tensors.tensorNames.filter {
                $0.hasPrefix(prefix) && isQuantized(root + $0.dropFirst(prefix.count))
            },
            tensors: tensors)
        try convert(except: Set(places.names))
        quantized = try places.filled(storage)
    }

    /// Converts, in one piece of memory, every tensor of the family that cannot be used in place.
    private func convert(except others: Set<String>) throws {
        var places: [(tensor: TensorDescription, offset: Int)] = []
        var count = 0
        for name in tensors.tensorNames where name.hasPrefix(prefix) && !others.contains(name) {
            guard let tensor = tensors.tensor(named: name), tensor.elementType.isConvertible,
                try tensors.mappedFloats(of: name, shape: tensor.shape) == nil
            else { continue }
            places.append((tensor, count))
            // Each starts at a cache line.
            count += (tensor.shape.reduce(1, *) + 15) / 16 * 16
        }
        guard !places.isEmpty else { return }
        let base = try storage.memory(count: count) { memory in
            for (tensor, offset) in places {
                let elements = try tensors.floats(of: tensor.name, shape: tensor.shape)
                (memory + offset).update(from: elements, count: elements.count)
            }
        }
        for (tensor, offset) in places { converted[tensor.name] = base + offset }
    }

    /// Whether the folder has a tensor.
    public func has(_ name: String) -> Bool { tensors.tensor(named: fileName(of: name)) != nil }

    /// The tensors of the family.
    var names: [String] {
        tensors.tensorNames.filter { $0.hasPrefix(prefix) }.map { root + $0.dropFirst(prefix.count) }
    }

    /// A tensor's name in the files: those of the head never had the prefix.
    private func fileName(of name: String) -> String {
        name.hasPrefix(root) ? prefix + name.dropFirst(root.count) : name
    }

    /// The shape of a tensor; nil where the folder has none of this name.
    public func shape(of name: String) -> [Int]? { tensors.tensor(named: fileName(of: name))?.shape }

    /// Whether a folder lacks a tensor that it may lack, with all others of its module.
    func lacks(_ entry: ModelTensor, among description: ModelDescription) -> Bool {
        entry.role == .pooler && !description.tensors.contains { $0.module == entry.module && has($0.name) }
    }

    /// Has a tensor take its values from here, frozen.
    func set(_ tensor: NetworkTensor) throws {
        if case .quantized(let codes)? = codes(tensor.name, shape: tensor.shape) {
            tensor.set(codes, owner: self)
        } else {
            tensor.set(try floats(tensor.name, shape: tensor.shape), owner: self)
        }
    }

    /// A matrix of the given shape where it is held quantised.
    func codes(_ name: String, shape: [Int]) -> FrozenMatrix? {
        quantized[tensors.storedName(of: fileName(of: name))].flatMap {
            [$0.rows, $0.columns] == shape ? .quantized($0) : nil
        }
    }

    /// The elements of a tensor of the given shape, row-major.
    public func floats(_ name: String, shape: [Int]) throws -> UnsafePointer<Float> {
        let name = tensors.storedName(of: fileName(of: name))
        if let mapped = try tensors.mappedFloats(of: name, shape: shape), let base = mapped.baseAddress { return base }
        guard let base = converted[name], tensors.tensor(named: name)?.shape == shape else {
            // Says what is wrong with it.
            let elements = try tensors.floats(of: name, shape: shape)
            return try own.memory(count: elements.count) { $0.update(from: elements, count: elements.count) }
        }
        return base
    }
}
