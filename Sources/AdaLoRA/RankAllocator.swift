/// AdaLoRA's allocator for triplets that one process holds: importance, budget, decision.
///
/// The distributed training step does the same with its shard of the rows; this one serves recorded traces, and tests
/// as a reference.
public struct RankAllocator {
    /// The shape of one adapted module.
    public struct Module: Sendable, Equatable {
        public let name: String
        public let rank: Int
        public let outputs: Int
        public let inputs: Int

        public init(name: String, rank: Int, outputs: Int, inputs: Int) {
            self.name = name
            self.rank = rank
            self.outputs = outputs
            self.inputs = inputs
        }

        /// Elements of the module's rows.
        public var elementCount: Int { rank * (outputs + 1 + inputs) }
    }

    public let modules: [Module]
    public let schedule: BudgetSchedule
    public let importance: Importance
    private var smoothed: [[Float]]
    private var uncertainty: [[Float]]
    /// The latest decision, by module and triplet; nil before the first.
    public private(set) var kept: [[Bool]]?

    public init(modules: [Module], schedule: BudgetSchedule, importance: Importance) {
        self.modules = modules
        self.schedule = schedule
        self.importance = importance
        smoothed = modules.map { [Float](repeating: 0, count: $0.elementCount) }
        uncertainty = smoothed
    }

    /// What happened at one step.
    public struct Step: Sendable, Equatable {
        public let budget: Int
        /// The decision, by module and triplet, if one fell at this step.
        public let kept: [[Bool]]?
        /// S by module and triplet.
        public let scores: [[Float]]
    }

    /// Takes the weights and gradients of one step, rows `[P_i | λ_i | Q_i]` for each module, and decides if a decision
    /// falls at this step.
    ///
    /// - Precondition: one array for each module, of its number of elements.
    public mutating func update(step: Int, values: [[Float]], gradients: [[Float]]) -> Step {
        if schedule.updatesImportance(at: step) {
            for index in modules.indices {
                precondition(values[index].count == modules[index].elementCount)
                precondition(gradients[index].count == modules[index].elementCount)
                importance.update(
                    values: values[index], gradient: gradients[index], smoothed: &smoothed[index],
                    uncertainty: &uncertainty[index], count: modules[index].elementCount)
            }
        }
        let scores = modules.indices.map { moduleScores($0, values: values[$0]) }
        let budget = schedule.budget(at: step)
        guard schedule.decides(at: step) else { return Step(budget: budget, kept: nil, scores: scores) }
        let selection = Selection(scores: Array(scores.joined()), budget: budget)
        var first = 0
        let kept = modules.map { module in
            defer { first += module.rank }
            return Array(selection.kept[first..<first + module.rank])
        }
        self.kept = kept
        return Step(budget: budget, kept: kept, scores: scores)
    }

    private func moduleScores(_ index: Int, values: [Float]) -> [Float] {
        let module = modules[index]
        let width = module.outputs + 1 + module.inputs
        return values.withUnsafeBufferPointer { values in
            smoothed[index].withUnsafeBufferPointer { smoothed in
                uncertainty[index].withUnsafeBufferPointer { uncertainty in
                    guard let values = values.baseAddress, let smoothed = smoothed.baseAddress,
                        let uncertainty = uncertainty.baseAddress
                    else { return [] }
                    return (0..<module.rank).map { triplet in
                        importance.score(
                            values: values + triplet * width, smoothed: smoothed + triplet * width,
                            uncertainty: uncertainty + triplet * width, outputs: module.outputs,
                            inputs: module.inputs)
                    }
                }
            }
        }
    }
}
