import Diagnostics
public import LinearAlgebra
public import NeuralNetwork

/// The tensors that a network is made of, wherever they lie: in the files of a model, or among the trained parameters.
public struct TensorSource {
    private let root: String
    private let find: (String) throws -> NetworkTensor
    private let findCodes: (String) throws -> FrozenMatrix?

    /// - Parameters:
    ///   - root: what the paths of modules begin with, and the names of tensors do not.
    ///   - codes: a matrix that is held in another form than its numbers; nil for all others.
    ///   - find: the tensor of a name.
    public init(
        root: String = "", codes: @escaping (String) throws -> FrozenMatrix? = { _ in nil },
        _ find: @escaping (String) throws -> NetworkTensor
    ) {
        self.root = root
        self.find = find
        findCodes = codes
    }

    func tensor(_ name: String) throws -> NetworkTensor { try find(name) }

    /// A matrix, in whatever form it is held.
    func matrix(_ name: String, rows: Int, columns: Int) throws -> FrozenMatrix {
        try findCodes(name) ?? .plain(MatrixView(base: try find(name).values, rows: rows, columns: columns))
    }

    /// A linear layer, or a convolution's product.
    func linear(_ name: String, outputs: Int, inputs: Int) throws -> AdaptedLinear {
        let (weightName, biasName) = (name + ".weight", name + ".bias")
        // What is held as codes must not be made as numbers, too.
        if let codes = try findCodes(weightName) {
            return AdaptedLinear(path: root + name, weight: codes, bias: try find(biasName).values)
        }
        let (weight, bias) = (try find(weightName), try find(biasName))
        let trained: (weight: ParameterLayout.Block, bias: ParameterLayout.Block)? =
            if let weight = weight.block, let bias = bias.block { (weight, bias) } else { nil }
        return AdaptedLinear(
            path: root + name, weight: .plain(MatrixView(base: weight.values, rows: outputs, columns: inputs)),
            bias: bias.values, trained: trained)
    }
}

/// The parameters of a network that is trained in full, all 0 until they are set.
public struct TrainedTensors {
    /// A tensor as it is laid out: a row for each output, or a vector.
    public struct Tensor: Sendable, Equatable {
        public let name: String
        public let shape: [Int]
        /// Of the rows in which it is dealt to processes.
        public let rows: Int

        public init(name: String, shape: [Int], rows: Int? = nil) {
            self.name = name
            self.shape = shape
            self.rows = rows ?? (shape.count > 1 ? shape[0] : 1)
        }

        public var elementCount: Int { shape.reduce(1, *) }
    }

    public let layout: ParameterLayout
    /// [1, elements].
    public let parameters: Matrix

    public init(_ tensors: [Tensor]) {
        var layout = ParameterLayout()
        for tensor in tensors { layout.append(tensor) }
        self.layout = layout
        parameters = Matrix(rows: 1, columns: layout.elementCount)
    }

    /// For a network whose tensors these are.
    ///
    /// - Parameter root: what the names here begin with, and the network's do not.
    public func source(root: String = "") -> TensorSource {
        let blocks = Dictionary(layout.blocks.map { ($0.name, $0) }) { first, _ in first }
        return TensorSource(root: root) { [parameters] name in
            guard let block = blocks[root + name] else { throw ModelError.unknownTensor(name) }
            return NetworkTensor(
                values: UnsafePointer(parameters.pointer + block.elements.lowerBound), block: block)
        }
    }
}

extension ParameterLayout {
    /// Appends a tensor that is trained in full.
    public mutating func append(_ tensor: TrainedTensors.Tensor) {
        if tensor.shape.count == 1 {
            appendVector(name: tensor.name, count: tensor.elementCount)
        } else {
            appendDense(
                name: tensor.name, rows: tensor.rows, columns: tensor.elementCount / max(tensor.rows, 1),
                shape: tensor.shape)
        }
    }
}

extension ModelError {
    /// - Parameter name: what a network asks for, and its configuration does not know.
    static func unknownTensor(_ name: String) -> ModelError {
        ModelError(.computation, "the network asks for a tensor '\(name)' that its configuration lacks")
    }
}

extension FrozenWeights {
    /// For a network that stays as it is, but for adapters.
    ///
    /// - Parameters:
    ///   - root: what the paths of modules begin with, and the names of tensors do not.
    ///   - tensors: all of the network.
    public func source(root: String = "", of tensors: [TrainedTensors.Tensor]) -> TensorSource {
        let shapes = Dictionary(tensors.map { ($0.name, $0.shape) }) { first, _ in first }
        func shape(_ name: String) throws -> [Int] {
            guard let shape = shapes[name] else { throw ModelError.unknownTensor(name) }
            return shape
        }
        return TensorSource(
            root: root, codes: { name in self.codes(name, shape: try shape(name)) },
            { name in NetworkTensor(values: try self.floats(name, shape: try shape(name)), block: nil) })
    }
}
