import Foundation

/// How many triplets may stay at each step: b(t), steps counted from 0.
///
/// Source: AdaLoRA, section 3.3, in the continuous form that the authors' code and PEFT compute.
public struct BudgetSchedule: Sendable, Equatable {
    public enum Form: String, Sendable, CaseIterable {
        /// `bT + (b0 − bT)·(1 − (t − tinit)/(T − tfinal − tinit))³`, from b0 at tinit to bT at T − tfinal.
        case cubic
        /// The paper's printed formula, `1 − (t − tinit − tfinal)/(T − tinit − tfinal)` in the cube, clamped to [bT, b0]:
        /// as printed it exceeds b0 at first and does not reach bT at T − tfinal.
        case printed
    }

    /// b0 (number of modules · init_r) and bT.
    public let initialBudget: Int
    public let targetBudget: Int
    /// tinit, tfinal, deltaT and T in PEFT's terms.
    public let initialSteps: Int
    public let finalSteps: Int
    public let interval: Int
    public let totalSteps: Int
    public let form: Form

    /// - Throws: ``AdaLoRAError`` if no step is left between the two phases, or the target exceeds the start.
    public init(
        initialBudget: Int, targetBudget: Int, initialSteps: Int, finalSteps: Int, interval: Int, totalSteps: Int,
        form: Form = .cubic
    ) throws(AdaLoRAError) {
        guard initialSteps >= 0, finalSteps >= 0, totalSteps > 0, initialSteps < totalSteps - finalSteps else {
            throw AdaLoRAError(
                "tinit \(initialSteps) must come before total_step − tfinal = \(totalSteps) − \(finalSteps); "
                    + "lower tinit or tfinal, or raise total_step")
        }
        guard targetBudget >= 0, targetBudget <= initialBudget else {
            throw AdaLoRAError(
                "the target budget \(targetBudget) must lie between 0 and the initial budget \(initialBudget); "
                    + "lower target_r")
        }
        guard interval > 0 else { throw AdaLoRAError("deltaT is \(interval), expected at least 1") }
        self.initialBudget = initialBudget
        self.targetBudget = targetBudget
        self.initialSteps = initialSteps
        self.finalSteps = finalSteps
        self.interval = interval
        self.totalSteps = totalSteps
        self.form = form
    }

    /// T − tfinal: the step of the last decision.
    public var lastDecision: Int { totalSteps - finalSteps }

    /// b(t).
    public func budget(at step: Int) -> Int {
        if step <= initialSteps { return initialBudget }
        if step > lastDecision { return targetBudget }
        let progress =
            switch form {
            case .cubic: Double(step - initialSteps) / Double(lastDecision - initialSteps)
            case .printed:
                Double(step - initialSteps - finalSteps) / Double(max(totalSteps - initialSteps - finalSteps, 1))
            }
        let excess = Double(initialBudget - targetBudget) * pow(1 - progress, 3)
        return min(max(Int(excess + Double(targetBudget)), targetBudget), initialBudget)
    }

    /// Whether a decision falls at this step.
    public func decides(at step: Int) -> Bool {
        step == lastDecision || (initialSteps < step && step < lastDecision && step % interval == 0)
    }

    /// Whether importance is updated at this step. The last decision rests on the importance of the step before it.
    public func updatesImportance(at step: Int) -> Bool { step < lastDecision }

    /// Whether the last decision's mask is applied again after this step.
    public func isFinal(_ step: Int) -> Bool { step > lastDecision }
}
