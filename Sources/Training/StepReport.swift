/// What a step tells the coordinator; the same on every process but for the time.
public struct StepReport: Sendable {
    public struct Decision: Sendable {
        /// The lowest score that stays; nil if none does.
        public let threshold: Float?
        /// Kept triplets by module, in the model's order.
        public let ranks: [(module: String, rank: Int)]
    }

    /// Counted from 0.
    public let step: Int
    /// Mean over the samples of the global batch.
    public let taskLoss: Double
    /// `taskLoss` + γ·R.
    public let loss: Double
    public let learningRate: Double
    /// Euclidean norm over everything trained, before clipping.
    public let gradientNorm: Double
    /// b(t).
    public let budget: Int
    /// Singular values that are not 0 after the step.
    public let active: Int
    /// Tokens of the global batch.
    public let tokens: Int
    /// Wall-clock time.
    public let seconds: Double
    /// On a masking step.
    public let decision: Decision?
}
