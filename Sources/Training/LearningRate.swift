import Foundation

/// The learning rate at each step, counted from 0.
public struct LearningRate: Sendable {
    let peak: Double
    let schedule: TrainingConfiguration.LearningRateSchedule
    let warmUpSteps: Int
    let totalSteps: Int

    /// - Parameter configuration: its `optimizer` and `total_step`.
    public init(_ configuration: TrainingConfiguration) {
        peak = configuration.optimizer.learningRate
        schedule = configuration.optimizer.schedule
        warmUpSteps = configuration.optimizer.warmUpSteps
        totalSteps = configuration.totalSteps
    }

    /// `lr · min(1, (s + 1)/warmup_steps)` times what is left of the schedule: `(T − s)/T` (linear), 1 (constant), or
    /// half a cosine from 1 to 0 over the steps after the warm-up.
    public func value(at step: Int) -> Double {
        let warmUp = warmUpSteps > 0 ? min(1, Double(step + 1) / Double(warmUpSteps)) : 1
        let remaining =
            switch schedule {
            case .linear: Double(totalSteps - step) / Double(totalSteps)
            case .constant: 1.0
            case .cosine:
                0.5 * (1 + cos(.pi * Double(max(0, step - warmUpSteps)) / Double(max(1, totalSteps - warmUpSteps))))
            }
        return peak * warmUp * remaining
    }
}
