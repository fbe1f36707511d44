import LinearAlgebra
import NeuralNetwork

// Hugging Face's tensor names, in one place. Module paths always carry `bert.`, as in BertForSequenceClassification,
// which is what PEFT adapts; the folder's tensors may lack it.

extension BERTConfiguration {
    /// What the names of BertForSequenceClassification begin with, but for the head's.
    static let root = "bert."
    /// The layer between the last hidden states and the head.
    static let pooler = "pooler.dense"

    /// Every tensor of `BertModel`, without ``root``, from the tokens to the pooler.
    var tensors: [TrainedTensors.Tensor] {
        var tensors: [TrainedTensors.Tensor] = []
        func add(_ name: String, _ shape: [Int]) { tensors.append(.init(name: name, shape: shape)) }
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            add("\(name).weight", [outputs, inputs])
            add("\(name).bias", [outputs])
        }
        func normalization(_ name: String) {
            add("\(name).weight", [hiddenWidth])
            add("\(name).bias", [hiddenWidth])
        }
        add("embeddings.word_embeddings.weight", [vocabularySize, hiddenWidth])
        add("embeddings.position_embeddings.weight", [positionCount, hiddenWidth])
        add("embeddings.token_type_embeddings.weight", [segmentCount, hiddenWidth])
        normalization("embeddings.LayerNorm")
        for layer in 0..<layerCount {
            let name = "encoder.layer.\(layer)"
            for projection in ["query", "key", "value"] {
                linear("\(name).attention.self.\(projection)", hiddenWidth, hiddenWidth)
            }
            linear("\(name).attention.output.dense", hiddenWidth, hiddenWidth)
            normalization("\(name).attention.output.LayerNorm")
            linear("\(name).intermediate.dense", intermediateWidth, hiddenWidth)
            linear("\(name).output.dense", hiddenWidth, intermediateWidth)
            normalization("\(name).output.LayerNorm")
        }
        linear(Self.pooler, hiddenWidth, hiddenWidth)
        return tensors
    }
}

extension TensorSource {
    /// The layer norm whose tensors are `name.weight` and `name.bias`, [hidden] each.
    func normalization(
        _ name: String, _ configuration: BERTConfiguration, dropout: Dropout
    ) throws -> ResidualNormalization {
        ResidualNormalization(
            gain: try tensor("\(name).weight"), offset: try tensor("\(name).bias"), columns: configuration.hiddenWidth,
            epsilon: configuration.normalizationEpsilon, dropout: dropout)
    }

    /// The tables of words, positions and segments.
    func embedding(_ configuration: BERTConfiguration) throws -> Embedding {
        let name = "embeddings.word_embeddings.weight"
        let (positions, segments) = (
            try tensor("embeddings.position_embeddings.weight"), try tensor("embeddings.token_type_embeddings.weight")
        )
        let hidden = configuration.hiddenWidth
        let words = try matrix(name, rows: configuration.vocabularySize, columns: hidden)
        var blocks: [ParameterLayout.Block]?
        if let positions = positions.block, let segments = segments.block, let words = try tensor(name).block {
            blocks = [words, positions, segments]
        }
        return Embedding(
            words: words,
            positions: MatrixView(base: positions.values, rows: configuration.positionCount, columns: hidden),
            segments: MatrixView(base: segments.values, rows: configuration.segmentCount, columns: hidden),
            trained: blocks)
    }
}
