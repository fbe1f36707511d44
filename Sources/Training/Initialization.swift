import Diagnostics
import LinearAlgebra
import NeuralNetwork
public import PEFTFormat
import WeightMethods

extension AdapterHost {
    /// Sets the parameters of a new run: those of `adapter.init`, or as ``initialize(_:)`` does.
    func start(_ configuration: TrainingConfiguration) throws {
        guard let path = configuration.adapter.initialAdapter else { return try initialize(configuration) }
        try load(try Adapter(path: path), path: path)
    }

    /// Sets the parameters of a new run but for those that a pretrained model has: λ and biases 0; P, Q and the weights of the
    /// head, and of layers that the model lacks, random. In LoRA's form P = 0 and λ = 1.
    ///
    /// Each number is a function of (seed, block, index), the same whoever draws it. Where P, Λ and Q are to be singular
    /// triplets, they are set later, by ``SingularVectorStart``.
    public func initialize(_ configuration: TrainingConfiguration) throws {
        let seed = UInt64(configuration.seed)
        // Beyond the tensors of the head, and of what the model lacks, everything has a start where all is trained.
        let firstNew = configuration.method == .full ? layout.blocks.count - 2 * (1 + missingLayers.count) : 0
        let missing = Set(missingLayers.map { "\($0.path).weight" })
        for (tensor, block) in layout.blocks.enumerated().dropFirst(firstNew) {
            let start = parameters.pointer + block.elements.lowerBound
            func fill(_ elements: Range<Int>, _ scheme: InitializationScheme, shape: [Int]) throws {
                try scheme.fill(
                    UnsafeMutableBufferPointer(start: start + elements.lowerBound, count: elements.count), seed: seed,
                    tensor: tensor, from: elements.lowerBound, shape: shape)
            }
            if let outputs = block.outputs, let inputs = block.inputs {
                let isPlain = configuration.adapter.form == .ba
                let (scheme, rank) = (configuration.adapter.initialization.scheme, block.rows.count)
                for row in 0..<rank {
                    let place = row * block.rowWidth
                    try fill(place..<place + outputs, scheme, shape: [outputs, rank])
                    if isPlain { UnsafeMutableBufferPointer(start: start + place, count: outputs).update(repeating: 0) }
                    start[place + outputs] = isPlain ? 1 : 0
                    try fill(place + outputs + 1..<place + block.rowWidth, scheme, shape: [rank, inputs])
                }
            } else if block.kind == .vector {
                UnsafeMutableBufferPointer(start: start, count: block.elements.count).update(repeating: 0)
            } else {
                // As transformers does where a layer is missing.
                let scheme: InitializationScheme =
                    missing.contains(block.name)
                    ? .normal(standardDeviation: 0.02) : configuration.head.initialization.scheme
                try fill(
                    0..<block.elements.count, scheme,
                    shape: [block.rows.count, block.rowWidth])
            }
        }
    }

    /// Takes the parameters from an adapter: its kept triplets in order, the rest of a module's triplets with λ = 0.
    ///
    /// - Parameter path: of the adapter, for messages.
    /// - Throws: ``TrainingError`` if a module or a shape differs.
    public func load(_ adapter: Adapter, path: String) throws(TrainingError) {
        for block in tripletBlocks {
            guard let module = adapter.modules.first(where: { $0.path == block.name }) else {
                throw TrainingError(
                    .badData, "\(path): no triplets for module '\(block.name)', which target_modules names")
            }
            for sharer in block.uses.dropFirst() {
                guard let other = adapter.modules.first(where: { $0.path == sharer }),
                    (other.leftVectors, other.singularValues, other.rightVectors)
                        == (module.leftVectors, module.singularValues, module.rightVectors)
                else {
                    throw TrainingError(
                        .badData,
                        "\(path): the triplets of '\(block.name)' and '\(sharer)' differ, but adapter.share has them use the same; "
                            + "share other modules, or none")
                }
            }
            guard module.outputs == block.outputs, module.inputs == block.inputs, module.rank == block.rows.count
            else {
                throw TrainingError(
                    .badData,
                    "\(path): module '\(block.name)' has \(module.rank) triplets of \(module.outputs) × \(module.inputs), "
                        + "expected \(block.rows.count) of \(block.outputs ?? 0) × \(block.inputs ?? 0); set adapter.init_r to match"
                )
            }
            for triplet in 0..<module.rank {
                let row = parameters.pointer + block.elements(ofRow: block.rows.lowerBound + triplet).lowerBound
                for column in 0..<module.outputs { row[column] = module.leftVectors[triplet * module.outputs + column] }
                row[module.outputs] = module.singularValues[triplet]
                for column in 0..<module.inputs {
                    row[module.outputs + 1 + column] = module.rightVectors[triplet * module.inputs + column]
                }
            }
        }
        for block in layout.blocks where !block.isTriplets {
            guard let tensor = adapter.head.first(where: { $0.name == block.name }) else {
                throw TrainingError(.badData, "\(path): no tensor '\(block.name)'; expected the head with the adapter")
            }
            guard tensor.shape == block.shape else {
                throw TrainingError(
                    .badData,
                    "\(path): '\(block.name)' has shape \(tensor.shape), expected \(block.shape); "
                        + "the task has \(outputCount) outputs")
            }
            (parameters.pointer + block.elements.lowerBound).update(from: tensor.values, count: tensor.values.count)
        }
    }
}

extension TrainingConfiguration.AdapterInitialization {
    var scheme: InitializationScheme {
        switch self {
        case .normal, .leadingTriplets, .trailingTriplets: .normal(standardDeviation: 0.02)
        case .xavier: .xavier
        case .he: .he
        }
    }
}

extension TrainingConfiguration.HeadInitialization {
    var scheme: InitializationScheme {
        switch self {
        case .normal: .normal(standardDeviation: 0.02)
        case .xavier: .xavier
        case .he: .he
        }
    }
}
