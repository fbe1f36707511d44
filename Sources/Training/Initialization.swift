import Diagnostics
import LinearAlgebra
import NeuralNetwork
public import PEFTFormat
import WeightMethods

extension AdapterHost {
    /// Sets the parameters of a new run as ``initialize(_:)`` does, and then those that `adapter.init` has.
    func start(_ configuration: TrainingConfiguration) throws {
        try initialize(configuration)
        guard let path = configuration.adapter.initialAdapter else { return }
        try load(
            try Adapter(path: try TrainedModel.requiredAdapterFolder(path)), path: path,
            scale: configuration.adapterSettings.scale, holdsValuesAtOne: configuration.adapter.form == .ba)
    }

    /// Sets the parameters of a new run but for those that the model's files have: λ and biases 0; P, Q and the weights of the
    /// head, and of layers that the model lacks, random. In LoRA's form P = 0 and λ = 1.
    ///
    /// Each number is a function of (seed, block, index), the same whoever draws it. Where P, Λ and Q are to be singular
    /// triplets, they are set later, by ``SingularVectorStart``.
    public func initialize(_ configuration: TrainingConfiguration) throws {
        let seed = UInt64(configuration.seed)
        let starts = starts
        for (tensor, block) in layout.blocks.enumerated() {
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
                continue
            }
            // All others have the values of the model's files.
            guard let beginning = starts[block.name] else { continue }
            let elements = UnsafeMutableBufferPointer(start: start, count: block.elements.count)
            let shape = [block.rows.count, block.rowWidth]
            switch beginning {
            case .zero: elements.update(repeating: 0)
            case .one: elements.update(repeating: 1)
            case .pretrainedWeight:
                try fill(0..<elements.count, .normal(standardDeviation: 0.02), shape: shape)
            case .headWeight: try fill(0..<elements.count, configuration.head.initialization.scheme, shape: shape)
            }
        }
    }

    /// Takes parameters from an adapter, so that every module has the adapter's ΔW: its triplets come first, in their order.
    ///
    /// Further triplets of a module, and modules that the adapter has not, stay as they are; of a new run they add nothing.
    /// Where the network's scale is not the adapter's, λ takes the ratio.
    ///
    /// - Parameters:
    ///   - path: of the adapter, for messages.
    ///   - scale: that the network multiplies PΛQ by.
    ///   - holdsValuesAtOne: every λ is 1, and what it was is taken into P.
    /// - Throws: ``TrainingError`` if a part of the adapter has no place in the network, or the head differs.
    public func load(
        _ adapter: Adapter, path: String, scale: Float, holdsValuesAtOne: Bool = false
    ) throws(TrainingError) {
        let ratio = Float(Double(adapter.settings.scale) / Double(scale))
        let modules = Dictionary(adapter.modules.map { ($0.path, $0) }) { first, _ in first }
        try checkNothingIsLost(of: adapter, path: path)
        for block in tripletBlocks {
            guard let module = try Self.module(of: block, among: modules, path: path) else { continue }
            for triplet in 0..<module.rank {
                let row = parameters.pointer + block.elements(ofRow: block.rows.lowerBound + triplet).lowerBound
                let value = module.singularValues[triplet] * ratio
                let factor = holdsValuesAtOne ? value : 1
                for column in 0..<module.outputs {
                    row[column] = module.leftVectors[triplet * module.outputs + column] * factor
                }
                row[module.outputs] = holdsValuesAtOne ? 1 : value
                for column in 0..<module.inputs {
                    row[module.outputs + 1 + column] = module.rightVectors[triplet * module.inputs + column]
                }
            }
        }
        try loadHead(adapter, path: path)
    }

    /// - Throws: ``TrainingError`` if the adapter has triplets for which the network has no place.
    private func checkNothingIsLost(of adapter: Adapter, path: String) throws(TrainingError) {
        let uses = tripletBlocks.flatMap { block in block.uses.map { ($0, block.rows.count) } }
        let places = Dictionary(uses) { first, _ in first }
        for module in adapter.modules where module.rank > places[module.path] ?? 0 {
            guard let place = places[module.path] else {
                throw TrainingError(
                    .badData,
                    "\(path): has \(module.rank) triplets for the module '\(module.path)', which adapter.target_modules does not "
                        + "name, so that they would be lost; name it there")
            }
            let largest = adapter.modules.map(\.rank).max() ?? 0
            throw TrainingError(
                .badData,
                "\(path): has \(module.rank) triplets for the module '\(module.path)', but adapter.init_r is \(place); set "
                    + "adapter.init_r to at least \(largest), which is room for all modules")
        }
    }

    /// What an adapter has for a block: the same for all modules that share it; nil if it has none of them.
    private static func module(
        of block: ParameterLayout.Block, among modules: [String: AdapterModule], path: String
    ) throws(TrainingError) -> AdapterModule? {
        let first = modules[block.name]
        for use in block.uses {
            let module = modules[use]
            if let module, module.outputs != block.outputs || module.inputs != block.inputs {
                throw TrainingError(
                    .badData,
                    "\(path): the module '\(use)' is \(module.outputs) × \(module.inputs), expected \(block.outputs ?? 0) × "
                        + "\(block.inputs ?? 0); is the adapter one of another base model?")
            }
            guard
                (module?.leftVectors ?? [], module?.singularValues ?? [], module?.rightVectors ?? [])
                    == (first?.leftVectors ?? [], first?.singularValues ?? [], first?.rightVectors ?? [])
            else {
                throw TrainingError(
                    .badData,
                    "\(path): the triplets of '\(block.name)' and '\(use)' differ, but adapter.share has them use the same; "
                        + "share other modules, or none")
            }
        }
        return first
    }

    private func loadHead(_ adapter: Adapter, path: String) throws(TrainingError) {
        let blocks = layout.blocks.filter { !$0.isTriplets }
        if let stranger = adapter.head.first(where: { tensor in !blocks.contains { $0.name == tensor.name } }) {
            throw TrainingError(
                .badData,
                "\(path): has a tensor '\(stranger.name)', expected \(blocks.map { "'\($0.name)'" }.joined(separator: ", ")) "
                    + "beside the triplets; without it the adapter would compute something else")
        }
        for block in blocks {
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

extension TrainingConfiguration {
    /// The files of `adapter.init`, for digests.
    ///
    /// - Throws: ``TrainingError`` where there is no adapter, or none yet.
    var initialAdapterFiles: [String] {
        get throws(TrainingError) {
            guard let path = adapter.initialAdapter else { return [] }
            let folder = try TrainedModel.requiredAdapterFolder(path)
            return Adapter.fileNames.map { folder + "/" + $0 }
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
