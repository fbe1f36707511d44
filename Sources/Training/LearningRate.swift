import Foundation

/// The learning rate at each step, counted from 0.
public struct LearningRate: Sendable {
    let peak: Double
    let schedule: TrainingConfiguration.LearningRateSchedule
    let warmUpSteps: Int
    let totalSteps: Int
    /// What the cosine ends at, as a share of the peak.
    let lowestShare: Double

    init(
        peak: Double, schedule: TrainingConfiguration.LearningRateSchedule, warmUpSteps: Int, totalSteps: Int,
        lowestShare: Double = 0
    ) {
        self.peak = peak
        self.schedule = schedule
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
        self.lowestShare = lowestShare
    }

    /// - Parameter configuration: its `optimizer` and `total_step`.
    public init(_ configuration: TrainingConfiguration) {
        self.init(
            peak: configuration.optimizer.learningRate, schedule: configuration.optimizer.schedule,
            warmUpSteps: configuration.optimizer.warmUpSteps, totalSteps: configuration.totalSteps)
    }

    /// `lr · min(1, (s + 1)/warmup_steps)` times what is left of the schedule: `(T − s)/T` (linear), 1 (constant), or
    /// half a cosine from 1 to the lowest share over the steps after the warm-up.
    public func value(at step: Int) -> Double {
        let warmUp = warmUpSteps > 0 ? min(1, Double(step + 1) / Double(warmUpSteps)) : 1
        let remaining =
            switch schedule {
            case .linear: Double(totalSteps - step) / Double(totalSteps)
            case .constant: 1.0
            case .cosine:
                lowestShare + (1 - lowestShare)
                    * (0.5
                        * (1 + cos(.pi * Double(max(0, step - warmUpSteps)) / Double(max(1, totalSteps - warmUpSteps)))))
            }
        return peak * warmUp * remaining
    }
}
