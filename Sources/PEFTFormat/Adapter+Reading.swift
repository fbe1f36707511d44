import Diagnostics
import Foundation
import Safetensors

extension Adapter {
    static let weightsName = "adapter_model.safetensors"
    static let prefix = "base_model.model."

    /// Reads a folder that PEFT, or this program, wrote: ADALORA, or LoRA.
    ///
    /// A LoRA adapter becomes triplets with λ = 1, its scale taken into P, so that ΔW is the same.
    ///
    /// - Throws: ``PEFTFormatError``, `SafetensorsError`.
    public init(path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw PEFTFormatError(.missingInput, "\(path): no such adapter folder")
        }
        let configuration = try AdapterConfiguration(folder: path)
        let file = try SafetensorsFile(path: path + "/" + Self.weightsName)
        let settings = try configuration.settings()
        let reader = ModuleReader(file: file, configuration: configuration, settings: settings)
        self.init(modules: try reader.modules(), head: try reader.head(), settings: settings)
    }
}

/// Takes the tensors of an adapter's file apart.
private struct ModuleReader {
    let file: SafetensorsFile
    let configuration: AdapterConfiguration
    let settings: AdapterSettings

    private var suffix: String { configuration.kind == .adalora ? "" : ".weight" }

    /// The modules in the order of their names, numbers in names by their value.
    func modules() throws -> [AdapterModule] {
        let flags = configuration.kind == .adalora ? try configuration.flags() : nil
        let ranks = configuration.kind == .lora ? try configuration.pattern("rank_pattern") : [:]
        let alphas = configuration.kind == .lora ? try configuration.pattern("alpha_pattern") : [:]
        let ending = ".lora_A" + suffix
        let paths = file.tensorNames.filter { $0.hasSuffix(ending) && $0.hasPrefix(Adapter.prefix) }
            .map { String($0.dropFirst(Adapter.prefix.count).dropLast(ending.count)) }
            .sorted { $0.compare($1, options: [.numeric, .literal]) == .orderedAscending }
        guard !paths.isEmpty else {
            throw PEFTFormatError(
                .badData,
                "\(file.path): no tensor named \(Adapter.prefix)MODULE\(ending); is this the file of its adapter_config.json?"
            )
        }
        return try paths.map { path in
            let (rightName, leftName) = (name(path, "lora_A"), name(path, "lora_B"))
            guard let right = file.tensor(named: rightName)?.shape, right.count == 2,
                let left = file.tensor(named: leftName)?.shape, left.count == 2, left[1] == right[0]
            else {
                throw PEFTFormatError(
                    .badData, "\(file.path): '\(rightName)' and '\(leftName)' do not fit, expected [r, in] and [out, r]"
                )
            }
            let (rank, inputs, outputs) = (right[0], right[1], left[0])
            let pattern = flags?[path] ?? [Bool](repeating: true, count: rank)
            guard pattern.count(where: { $0 }) == rank else {
                throw PEFTFormatError(
                    .badData,
                    "\(configuration.path): rank_pattern keeps \(pattern.count { $0 }) triplets of '\(path)', the weights have \(rank)"
                )
            }
            var scale: Float = 1
            var singularValues = [Float](repeating: 1, count: rank)
            if configuration.kind == .adalora {
                singularValues = try file.floats(of: name(path, "lora_E"), shape: [rank, 1])
            } else if rank > 0 {
                let alpha = alphas[path] ?? settings.alpha
                scale = Float(alpha / (ranks[path] ?? Double(settings.initialRank))) / settings.scale
            }
            let leftValues = try file.floats(of: leftName, shape: left)
            var leftVectors: [Float] = []
            leftVectors.reserveCapacity(leftValues.count)
            for triplet in 0..<rank {
                for output in 0..<outputs { leftVectors.append(leftValues[output * rank + triplet] * scale) }
            }
            return AdapterModule(
                path: path, outputs: outputs, inputs: inputs, leftVectors: leftVectors, singularValues: singularValues,
                rightVectors: try file.floats(of: rightName, shape: right), pattern: pattern)
        }
    }

    /// Everything that is not a triplet.
    func head() throws -> [HeadTensor] {
        try file.tensorNames.filter { !$0.contains(".lora_") && $0.hasPrefix(Adapter.prefix) }.compactMap { name in
            guard let shape = file.tensor(named: name)?.shape else { return nil }
            return HeadTensor(
                name: String(name.dropFirst(Adapter.prefix.count)), shape: shape,
                values: try file.floats(of: name, shape: shape))
        }
    }

    private func name(_ path: String, _ part: String) -> String { "\(Adapter.prefix)\(path).\(part)\(suffix)" }
}
