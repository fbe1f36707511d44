import Diagnostics
public import NeuralNetwork

/// Which linear layers of a model an adapter goes to, by PEFT's rule: a target matches a module whose whole path it is, or
/// whose path ends with it after a dot.
public enum TargetModules {
    /// - Returns: the layers that match, in the model's order.
    /// - Throws: ``TrainingError`` if a target matches nothing.
    public static func matching(
        _ targets: [String], among linears: [AdaptedLinear]
    ) throws(TrainingError) -> [AdaptedLinear] {
        for target in targets where !linears.contains(where: { matches(target, $0.path) }) {
            let names = Set(linears.map { lastComponents($0.path) }).sorted().joined(separator: ", ")
            throw TrainingError(
                .usage,
                "adapter.target_modules: '\(target)' matches no linear layer of the model; its layers end in \(names)")
        }
        return linears.filter { linear in targets.contains { matches($0, linear.path) } }
    }

    static func matches(_ target: String, _ path: String) -> Bool { path == target || path.hasSuffix("." + target) }

    /// A path without its prefix up to the layer's number.
    private static func lastComponents(_ path: String) -> String {
        let parts = path.split(separator: ".")
        let tail = parts.lastIndex { Int($0) != nil }.map { parts[($0 + 1)...] } ?? parts[...]
        return tail.joined(separator: ".")
    }
}
