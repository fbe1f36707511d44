import Foundation

/// The learning rate at each step, counted from 0.
public struct LearningRate: Sendable {
    let peak: Double
    let schedule: TrainingConfiguration.LearningRateSchedule
    let warmUpSteps: Int
    let totalSteps: Int
    /// What the schedule ends at, as a share of the peak.
    let lowestShare: Double

    /// - Parameter configuration: its `optimizer` and `total_step`.
    public init(_ configuration: TrainingConfiguration) {
        peak = configuration.optimizer.learningRate
        schedule = configuration.optimizer.schedule
        warmUpSteps = configuration.optimizer.warmUpSteps
        totalSteps = configuration.totalSteps
        lowestShare = configuration.optimizer.lowestShare
    }

    /// `lr · min(1, (s + 1)/warmup_steps)` times what is left of the schedule: 1 (constant), or what falls from 1 to the
    /// lowest share, as `(T − s)/T` does to 0 (linear), or as half a cosine over the steps after the warm-up.
    public func value(at step: Int) -> Double {
        let warmUp = warmUpSteps > 0 ? min(1, Double(step + 1) / Double(warmUpSteps)) : 1
        let remaining =
            switch schedule {
            case .linear: Double(totalSteps - step) / Double(totalSteps)
            case .constant: 1.0
            case .cosine:
                0.5 * (1 + cos(.pi * Double(max(0, step - warmUpSteps)) / Double(max(1, totalSteps - warmUpSteps))))
            }
        return peak * warmUp * (lowestShare + (1 - lowestShare) * remaining)
    }
}
