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
    /// Singular values that are not 0 after the step. Between two decisions those that lost the last one take steps, too.
    public let active: Int
    /// Triplets that the latest decision kept; all of them before the first.
    public let kept: Int
    /// Tokens of the global batch.
    public let tokens: Int
    /// Wall-clock time.
    public let seconds: Double
    /// On a masking step.
    public let decision: Decision?
    /// If loss or gradient was not finite, so that parameters and state stayed as they were.
    public let skipped: Skipped?
    /// Whether any process was asked to stop.
    public let stops: Bool
    /// Whether all processes have written their shards of the checkpoint at hand.
    public let checkpointIsWritten: Bool

    /// Where a number that is not finite came up first.
    public struct Skipped: Sendable, Equatable {
        public let process: Int
        /// The module, or tensor of the head; nil if the loss itself was not finite.
        public let block: String?

        /// For messages and metrics.
        public var description: String {
            "process \(process): " + (block.map { "gradient of \($0)" } ?? "loss") + " is not finite"
        }
    }
}
