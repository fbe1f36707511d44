import LinearAlgebra
import NeuralNetwork

// Hugging Face's tensor names, in one place. Module paths always carry `bert.`, as in BertForSequenceClassification,
// which is what PEFT adapts; the folder's tensors may lack it.

extension AdaptedLinear {
    /// The linear layer whose tensors are `name.weight` [outputs, inputs] and `name.bias` [outputs].
    convenience init(
        weights: FrozenWeights, name: String, outputs: Int, inputs: Int
    ) throws {
        self.init(
            path: "bert.\(name)", weight: try weights.frozenMatrix("\(name).weight", rows: outputs, columns: inputs),
            bias: try weights.vector("\(name).bias", count: outputs))
    }
}

extension ResidualNormalization {
    /// The layer norm whose tensors are `name.weight` and `name.bias`, [hidden] each.
    convenience init(
        weights: FrozenWeights, name: String, configuration: BERTConfiguration, dropout: Dropout
    ) throws {
        self.init(
            gain: try weights.vector("\(name).weight", count: configuration.hiddenWidth),
            offset: try weights.vector("\(name).bias", count: configuration.hiddenWidth),
            columns: configuration.hiddenWidth, epsilon: configuration.normalizationEpsilon, dropout: dropout)
    }
}
