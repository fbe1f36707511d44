import Models

extension TrainingConfiguration {
    /// `superposition`: the superposition model and its data.
    public struct SuperpositionSettings: Equatable, Sendable {
        /// What b begins as. The raw values are those of the key `bias`.
        public enum Bias: String, CaseIterable, Codable, Sendable {
            /// N(0, 1), as in the paper.
            case normal
            case zero
        }

        /// `superposition.n`.
        public var features = 1_000
        /// `superposition.m`.
        public var hidden = 100
        /// `superposition.alpha`: α of the features' probabilities.
        public var exponent = 1.0
        /// `superposition.bias`: what b begins as.
        public var bias = Bias.normal
        /// `superposition.evaluation_samples`: new samples that the loss is measured on.
        public var evaluationSamples = 100_000

        /// The largest n·m.
        static let mostWeights = 1 << 28

        var problem: String? {
            guard features * hidden > Self.mostWeights else { return nil }
            return
                "superposition.n · superposition.m is \(features * hidden), expected at most \(Self.mostWeights); lower"
                + " one of them"
        }

        /// What the network is made of.
        func network(seed: Int) -> SuperpositionNetwork.Settings {
            SuperpositionNetwork.Settings(
                features: features, hidden: hidden, exponent: exponent, seed: UInt64(seed),
                startsWithRandomBias: bias == .normal)
        }
    }
}
