import Diagnostics
public import NeuralNetwork
import PEFTFormat

/// Which linear layers of a model an adapter goes to, by PEFT's rules.
public enum TargetModules {
    /// The layers that a configuration names: those of the targets, without those that are excluded, of the layers that are asked
    /// for.
    ///
    /// - Returns: in the model's order.
    /// - Throws: ``TrainingError`` if a name, an expression, or all together match nothing.
    static func matching(
        _ adapter: TrainingConfiguration.AdapterSettings, among linears: [AdaptedLinear]
    ) throws(TrainingError) -> [AdaptedLinear] {
        var layers = try matching(adapter.targetModules ?? .allLinear, "target_modules", among: linears)
        if let excluded = adapter.excludedModules {
            let paths = Set(try matching(excluded, "exclude_modules", among: linears).map(\.path))
            layers.removeAll { paths.contains($0.path) }
        }
        if !adapter.layers.isEmpty {
            layers.removeAll { layer in layerNumber(layer.path).map { !adapter.layers.contains($0) } ?? true }
        }
        guard !layers.isEmpty else {
            throw TrainingError(
                .usage,
                "adapter.target_modules, exclude_modules and layers_to_transform together leave no layer to adapt; the model has "
                    + names(linears))
        }
        return layers
    }

    private static func matching(
        _ modules: ModuleNames, _ key: String, among linears: [AdaptedLinear]
    ) throws(TrainingError) -> [AdaptedLinear] {
        switch modules {
        case .list(let targets):
            for target in targets where !linears.contains(where: { matches(target, $0.path) }) {
                throw TrainingError(
                    .usage,
                    "adapter.\(key): '\(target)' matches no linear layer of the model; its layers end in \(names(linears))"
                )
            }
            return linears.filter { linear in targets.contains { matches($0, linear.path) } }
        case .expression(let text):
            let matches: (String) -> Bool
            do {
                matches = try modules.matcher()
            } catch {
                throw TrainingError(.usage, "adapter.\(key): '\(text)': \(error.description)")
            }
            let layers = linears.filter { matches($0.path) }
            guard !layers.isEmpty else {
                throw TrainingError(
                    .usage,
                    "adapter.\(key): the expression '\(text)' matches the whole path of no linear layer; there is for instance "
                        + "'\(linears.first?.path ?? "none")'")
            }
            return layers
        }
    }

    private static func names(_ linears: [AdaptedLinear]) -> String {
        Set(linears.map { lastComponents($0.path) }).sorted().joined(separator: ", ")
    }

    /// The number of the layer in a module's path: the last part that is one, behind at least two others, as PEFT has it.
    static func layerNumber(_ path: String) -> Int? {
        let parts = path.split(separator: ".")
        return parts.dropLast().indices.last { $0 >= 2 && Int(parts[$0]) != nil }.flatMap { Int(parts[$0]) }
    }

    /// Modules of a network that are named to be saved, by the paths of what has tensors.
    ///
    /// - Throws: ``TrainingError`` if a name matches nothing.
    static func saved(_ names: [String], among modules: [String]) throws(TrainingError) -> [String] {
        func contains(_ name: String, _ module: String) -> Bool {
            let parts = module.split(separator: ".")
            return parts.indices.contains { matches(name, parts[...$0].joined(separator: ".")) }
        }
        for name in names where !modules.contains(where: { contains(name, $0) }) {
            throw TrainingError(
                .usage,
                "adapter.modules_to_save: '\(name)' matches no module of the model; there is for instance "
                    + "'\(modules.last ?? "none")'")
        }
        return modules.filter { module in names.contains { contains($0, module) } }
    }

    static func matches(_ target: String, _ path: String) -> Bool { path == target || path.hasSuffix("." + target) }

    /// A path without its prefix up to the layer's number.
    private static func lastComponents(_ path: String) -> String {
        let parts = path.split(separator: ".")
        let tail = parts.lastIndex { Int($0) != nil }.map { parts[($0 + 1)...] } ?? parts[...]
        return tail.joined(separator: ".")
    }
}
