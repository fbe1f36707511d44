import Diagnostics
import Foundation
import Safetensors

/// Takes the names and shapes of an adapter's tensors apart, and leaves none out.
struct ModuleShapes {
    /// The tensors of one adapted layer.
    struct Module {
        let path: String
        let rank: Int
        let outputs: Int
        let inputs: Int
        let rightName: String
        let leftName: String
        /// Of λ; nil in a LoRA adapter.
        let singularName: String?
    }

    private let file: SafetensorsFile
    /// In the order of their names, numbers in names by their value.
    let modules: [Module]

    init(file: SafetensorsFile, kind: AdapterConfiguration.Kind) throws(PEFTFormatError) {
        self.file = file
        let suffix = kind == .adalora ? "" : ".weight"
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
        var modules: [Module] = []
        for path in paths {
            func name(_ part: String) -> String { "\(Adapter.prefix)\(path).\(part)\(suffix)" }
            // A layer without inputs or outputs has no use, and lets an empty tensor claim any rank.
            guard let right = file.tensor(named: name("lora_A"))?.shape, right.count == 2, right[1] > 0,
                let left = file.tensor(named: name("lora_B"))?.shape, left.count == 2, left[1] == right[0], left[0] > 0
            else {
                throw PEFTFormatError(
                    .badData,
                    "\(file.path): '\(name("lora_A"))' and '\(name("lora_B"))' do not fit, expected [r, in] and [out, r]"
                )
            }
            modules.append(
                Module(
                    path: path, rank: right[0], outputs: left[0], inputs: right[1], rightName: name("lora_A"),
                    leftName: name("lora_B"), singularName: kind == .adalora ? name("lora_E") : nil))
        }
        self.modules = modules
    }

    /// Everything that is not of a module.
    ///
    /// - Throws: if a tensor belongs neither to a module, nor to a head beside the base network, nor to a layer that
    ///   is saved as a whole: without
    ///   it, the adapter would compute something else.
    func head() throws -> [HeadTensor] {
        let claimed = Set(modules.flatMap { [$0.rightName, $0.leftName, $0.singularName ?? $0.leftName] })
        let networks = Set(modules.map { $0.path.prefix { $0 != "." } })
        return try file.tensorNames.filter { !claimed.contains($0) }.map { name in
            let path = name.dropFirst(Adapter.prefix.count)
            guard let shape = file.tensor(named: name)?.shape, name.hasPrefix(Adapter.prefix),
                !path.contains("lora_"),
                !networks.contains(path.prefix { $0 != "." }) || Self.isOfWholeLayer(name, of: file)
            else {
                throw PEFTFormatError(
                    .badData,
                    "\(file.path): '\(name)' belongs to no triplet and to no head; this program reads adapters of linear "
                        + "layers, without biases, with a head")
            }
            guard !shape.contains(0) else {
                throw PEFTFormatError(.badData, "\(file.path): '\(name)' of the head has shape \(shape), no elements")
            }
            return HeadTensor(name: String(path), shape: shape, values: try file.floats(of: name, shape: shape))
        }
    }

    /// Whether a tensor is of a layer of the network that is saved with its weight.
    private static func isOfWholeLayer(_ name: String, of file: SafetensorsFile) -> Bool {
        let layer = name.split(separator: ".").dropLast().joined(separator: ".")
        return ["weight", "bias"].contains { name == "\(layer).\($0)" } && file.tensor(named: layer + ".weight") != nil
    }
}
