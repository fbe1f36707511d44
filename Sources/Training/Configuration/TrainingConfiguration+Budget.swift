public import AdaLoRA

extension TrainingConfiguration {
    /// How the budget of so many adapted modules falls; nil where the rank is fixed.
    ///
    /// - Throws: `AdaLoRAError` if the steps or the budgets contradict each other.
    public func budgetSchedule(moduleCount: Int) throws(AdaLoRAError) -> BudgetSchedule? {
        guard method == .adalora else { return nil }
        return try BudgetSchedule(
            initialBudget: moduleCount * adapter.initialRank,
            targetBudget: adapter.targetTotal ?? moduleCount * adapter.targetRank,
            initialSteps: adapter.initialSteps, finalSteps: adapter.finalSteps, interval: adapter.maskingInterval,
            totalSteps: totalSteps, form: adapter.budgetForm)
    }
}
