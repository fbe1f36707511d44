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
        let targets = adapter.targetModules ?? .allLinear
        let paths = linears.map(\.path)
        var chosen = Set(targets.isAllLinear ? paths : try matching(targets, "target_modules", among: paths))
        if let excluded = adapter.excludedModules {
            chosen.subtract(try matching(excluded, "exclude_modules", among: paths))
        }
        if !adapter.layers.isEmpty {
            let whole = if case .list(let names) = targets { Set(names) } else { Set<String>() }
            chosen = chosen.filter { path in
                whole.contains(path) || layerNumber(path).map(adapter.layers.contains) ?? false
            }
        }
        guard !chosen.isEmpty else {
            throw TrainingError(
                .usage,
                "adapter.target_modules, exclude_modules and layers_to_transform together leave no layer to adapt; the model has "
                    + names(paths))
        }
        return linears.filter { chosen.contains($0.path) }
    }

    private static func matching(
        _ modules: ModuleNames, _ key: String, among paths: [String]
    ) throws(TrainingError) -> [String] {
        switch modules {
        case .list(let targets):
            // A head is trained in any case, so leaving it out is no mistake.
            for target in targets
            where !paths.contains(where: { matches(target, $0) })
                && !(key == "exclude_modules" && HeadTensor.isHead(target))
            {
                throw TrainingError(
                    .usage,
                    "adapter.\(key): '\(target)' matches no linear layer of the model; its layers end in \(names(paths))"
                )
            }
            return paths.filter { path in targets.contains { matches($0, path) } }
        case .expression(let text):
            let matching: [String]
            do {
                matching = try ModuleExpression(text).matchingWhole(paths)
            } catch {
                throw TrainingError(.usage, "adapter.\(key): '\(text)': \(error.description)")
            }
            guard !matching.isEmpty else {
                throw TrainingError(
                    .usage,
                    "adapter.\(key): the expression '\(text)' matches the whole path of no linear layer; there is for instance "
                        + "'\(paths.first ?? "none")'; names stand in a list, as in [query, value]")
            }
            return matching
        }
    }

    private static func names(_ paths: [String]) -> String {
        Set(paths.map(lastComponents)).sorted().joined(separator: ", ")
    }

    /// The number of the layer in a module's path: the first part that is one, behind at least two others, as PEFT has it.
    static func layerNumber(_ path: String) -> Int? {
        let parts = path.split(separator: ".")
        return parts.dropLast().dropFirst(2).lazy.compactMap { Int($0) }.first
    }

    /// Modules of a network that are named to be saved, by the paths of what has tensors. A head may be named, but needs not.
    ///
    /// - Throws: ``TrainingError`` if a name matches nothing.
    static func saved(_ names: [String], among modules: [String]) throws(TrainingError) -> [String] {
        func contains(_ name: String, _ module: String) -> Bool {
            let parts = module.split(separator: ".")
            return parts.indices.contains { matches(name, parts[...$0].joined(separator: ".")) }
        }
        for name in names where !modules.contains(where: { contains(name, $0) }) && !HeadTensor.isHead(name) {
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
