import Diagnostics
import NeuralNetwork

/// Modules that use one adapter's triplets together.
enum SharedModules {
    /// - Parameters:
    ///   - linears: the layers to adapt, in the model's order.
    ///   - names: as those of target modules. Of the layers that a name matches, and no name before it, those of one shape share.
    ///   - rank: triplets of each adapter.
    /// - Returns: one module for each adapter, in the order of the first layers that use them.
    /// - Throws: ``TrainingError`` if a name matches none of the layers.
    static func grouped(
        _ linears: [AdaptedLinear], by names: [String], rank: Int
    ) throws(TrainingError) -> [AdaptedModule] {
        for name in names where !linears.contains(where: { TargetModules.matches(name, $0.path) }) {
            throw TrainingError(
                .usage,
                "adapter.share: '\(name)' matches none of the modules that adapter.target_modules names; name some of them"
            )
        }
        /// What two layers have in common that share.
        struct Group: Hashable {
            /// Of the name, or of the layer where it shares with none.
            let index: Int
            let outputs: Int
            let inputs: Int
        }
        var order: [Group] = []
        var members: [Group: [String]] = [:]
        for (index, linear) in linears.enumerated() {
            let name = names.firstIndex { TargetModules.matches($0, linear.path) }
            let group = Group(index: name ?? names.count + index, outputs: linear.outputs, inputs: linear.inputs)
            if members[group] == nil { order.append(group) }
            members[group, default: []].append(linear.path)
        }
        return order.compactMap { group -> AdaptedModule? in
            guard let paths = members[group], let first = paths.first else { return nil }
            return .init(path: first, rank: rank, sharers: Array(paths.dropFirst()))
        }
    }
}
