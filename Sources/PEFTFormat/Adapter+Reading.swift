import Diagnostics
import Foundation
import Safetensors

extension Adapter {
    static let weightsName = "adapter_model.safetensors"
    /// The files that decide what an adapter computes.
    public static let fileNames = [AdapterConfiguration.fileName, weightsName]
    static let prefix = "base_model.model."

    /// Reads a folder that PEFT, or this program, wrote: ADALORA, or LoRA.
    ///
    /// A LoRA adapter becomes triplets with λ = 1, its scale taken into P, so that ΔW is the same; its largest rank
    /// becomes the initial rank. What could not be applied (a bias, a layer of the base trained in full) is refused.
    ///
    /// - Throws: ``PEFTFormatError``, `SafetensorsError`.
    public init(path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw PEFTFormatError(.missingInput, "\(path): no such adapter folder")
        }
        let configuration = try AdapterConfiguration(folder: path)
        let weights = path + "/" + Self.weightsName
        guard FileManager.default.fileExists(atPath: weights) else {
            throw PEFTFormatError(.missingInput, Self.complaint(ofMissing: weights, in: path))
        }
        let file = try SafetensorsFile(path: weights)
        try TaskDescription.checkWeights(Adapter.weightsName, in: path)
        let shapes = try ModuleShapes(file: file, kind: configuration.kind)
        var settings = try configuration.settings()
        let modules: [AdapterModule]
        switch configuration.kind {
        case .adalora:
            modules = try configuration.modules(shapes, of: file, initialRank: settings.initialRank)
        case .lora:
            let ranks = try configuration.checkedRanks(shapes, of: file, rank: settings.initialRank)
            settings.initialRank = ranks.max() ?? settings.initialRank
            modules = try configuration.loraModules(shapes, of: file, settings: settings)
        }
        self.init(modules: modules, head: try shapes.head(), settings: settings)
    }

    private static func complaint(ofMissing weights: String, in folder: String) -> String {
        guard FileManager.default.fileExists(atPath: folder + "/adapter_model.bin") else {
            return "\(weights): no such file; an adapter's folder holds adapter_config.json and "
                + "adapter_model.safetensors"
        }
        return
            "\(folder)/adapter_model.bin: a PyTorch file, which this program does not read; load the adapter with PEFT "
            + "and save it with save_pretrained, which writes adapter_model.safetensors"
    }
}

extension AdapterConfiguration {
    /// The modules of an ADALORA adapter.
    fileprivate func modules(_ shapes: ModuleShapes, of file: SafetensorsFile, initialRank: Int) throws
        -> [AdapterModule]
    {
        let flags = try flags()
        if let stranger = flags.map({ Set($0.keys).subtracting(shapes.modules.map(\.path)) })?.min() {
            throw PEFTFormatError(.badData, "\(path): rank_pattern names '\(stranger)', which has no weights")
        }
        return try shapes.modules.map { module in
            guard let pattern = flags?[module.path] else {
                guard module.rank == initialRank else {
                    throw PEFTFormatError(
                        .badData,
                        "\(file.path): '\(module.path)' has \(module.rank) triplets, expected init_r, \(initialRank); "
                            + "does adapter_config.json lack its rank_pattern?")
                }
                return try module.triplets(of: file, pattern: [Bool](repeating: true, count: initialRank))
            }
            guard pattern.count == initialRank else {
                throw PEFTFormatError(
                    .badData,
                    "\(path): rank_pattern has \(pattern.count) flags for '\(module.path)', expected init_r, \(initialRank)"
                )
            }
            guard pattern.count(where: { $0 }) == module.rank else {
                throw PEFTFormatError(
                    .badData,
                    "\(path): rank_pattern keeps \(pattern.count { $0 }) triplets of '\(module.path)', the weights have "
                        + "\(module.rank); are the two files of one adapter?")
            }
            return try module.triplets(of: file, pattern: pattern)
        }
    }

    /// The ranks of a LoRA adapter's modules, each as the configuration says.
    fileprivate func checkedRanks(_ shapes: ModuleShapes, of file: SafetensorsFile, rank: Int) throws -> [Int] {
        let ranks = try pattern("rank_pattern").values(for: shapes.modules.map(\.path))
        return try zip(shapes.modules, ranks).map { module, number in
            let expected = number ?? Double(rank)
            guard Double(module.rank) == expected else {
                throw PEFTFormatError(
                    .badData,
                    "\(file.path): '\(module.path)' has \(module.rank) triplets, expected \(expected.formatted()) as r or "
                        + "rank_pattern says; are the two files of one adapter?")
            }
            return module.rank
        }
    }

    /// The modules of a LoRA adapter as triplets with λ = 1, so that `settings.scale` gives what alpha / r gave.
    fileprivate func loraModules(_ shapes: ModuleShapes, of file: SafetensorsFile, settings: AdapterSettings) throws
        -> [AdapterModule]
    {
        let alphas = try pattern("alpha_pattern").values(for: shapes.modules.map(\.path))
        return try zip(shapes.modules, alphas).map { module, alpha in
            let scale = (alpha ?? settings.alpha) / Double(module.rank)
            let pattern = (0..<settings.initialRank).map { $0 < module.rank }
            return try module.triplets(of: file, pattern: pattern, leftScale: Float(scale) / settings.scale)
        }
    }
}

extension ModuleShapes.Module {
    /// - Parameters:
    ///   - pattern: as many true flags as there are triplets.
    ///   - leftScale: to multiply P by.
    fileprivate func triplets(of file: SafetensorsFile, pattern: [Bool], leftScale: Float = 1) throws -> AdapterModule {
        let left = try file.floats(of: leftName, shape: [outputs, rank])
        var leftVectors: [Float] = []
        leftVectors.reserveCapacity(left.count)
        for triplet in 0..<rank {
            for output in 0..<outputs { leftVectors.append(left[output * rank + triplet] * leftScale) }
        }
        return AdapterModule(
            path: path, outputs: outputs, inputs: inputs, leftVectors: leftVectors,
            singularValues: try singularName.map { try file.floats(of: $0, shape: [rank, 1]) }
                ?? [Float](repeating: 1, count: rank),
            rightVectors: try file.floats(of: rightName, shape: [rank, inputs]), pattern: pattern)
    }
}
