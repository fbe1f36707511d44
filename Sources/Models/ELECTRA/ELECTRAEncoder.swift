public import NeuralNetwork

/// ELECTRA (Clark et al. 2020): BERT's blocks over embeddings that may be narrower, and a head of two layers.
public struct ELECTRAConfiguration: EncoderFamily, Equatable {
    /// What it shares with BERT.
    let bert: BERTConfiguration
    /// `embedding_size`
    let embeddingWidth: Int

    public static var modelTypes: [String] { ["electra"] }
    public static var root: String { "electra." }
    public static var classifierArchitectures: [String: String] { ["electra": "ElectraForSequenceClassification"] }
    public static var targetModules: [String] { BERTConfiguration.targetModules }
    public static var classifier: String { "classifier.out_proj" }

    public init(json: [String: Any], path: String) throws(ModelError) {
        var json = json
        // The class's own defaults, where they are not BERT's.
        for (key, value) in ["hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1_024]
        where json[key] == nil { json[key] = value }
        bert = try BERTConfiguration(json: json, path: path)
        embeddingWidth = try ConfigurationReader(json: json, path: path).count("embedding_size", default: 128)
    }

    public var limits: EncoderLimits { bert.limits }
    public var dropouts: EncoderDropouts { bert.dropouts }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let embedded = bert.embedded(in: model, root: Self.root, width: embeddingWidth)
        let hidden =
            embeddingWidth == bert.hiddenWidth
            ? embedded : model.linear(embedded, Self.root + "embeddings_project", outputs: bert.hiddenWidth)
        return bert.blocks(of: hidden, in: model, root: Self.root)
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.gelu(model.headLayer(hiddenStates, dropout: bert.classifierDropout))
    }
}
