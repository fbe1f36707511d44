extension Adapter {
    /// An adapter whose ΔW is this one's minus that of `start`.
    ///
    /// Each module gets the triplets of both, those of the start with λ negated: up to 2r of them, so the initial rank
    /// doubles. alpha doubles with it, and what rounding leaves between the two scales goes into λ.
    ///
    /// - Parameter start: modules of the same paths and shapes, in the same order.
    public func subtracting(_ start: [AdapterModule]) -> Adapter {
        precondition(start.map(\.path) == modules.map(\.path))
        var difference = self
        difference.settings.initialRank *= 2
        difference.settings.alpha *= 2
        let factor = settings.scale / difference.settings.scale
        difference.modules = zip(modules, start).map { module, start in
            AdapterModule(
                path: module.path, outputs: module.outputs, inputs: module.inputs,
                leftVectors: module.leftVectors + start.leftVectors,
                singularValues: module.singularValues.map { $0 * factor }
                    + start.singularValues.map { -$0 * factor },
                rightVectors: module.rightVectors + start.rightVectors, pattern: module.pattern + start.pattern)
        }
        return difference
    }
}
