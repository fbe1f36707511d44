import Diagnostics

/// What `config.json` says of a BERT model, or of one of a family that shares its keys and blocks, checked.
public struct BERTConfiguration: Sendable, Equatable {
    public let vocabularySize: Int  // vocab_size
    public let hiddenWidth: Int  // hidden_size
    public let layerCount: Int  // num_hidden_layers
    public let headCount: Int  // num_attention_heads
    public let intermediateWidth: Int  // intermediate_size
    public let positionCount: Int  // max_position_embeddings
    public let segmentCount: Int  // type_vocab_size
    public let normalizationEpsilon: Float  // layer_norm_eps
    public let hiddenDropout: Double  // hidden_dropout_prob
    public let attentionDropout: Double  // attention_probs_dropout_prob
    public let classifierDropout: Double  // classifier_dropout, or hidden_dropout_prob

    /// - Parameters:
    ///   - json: the contents of config.json.
    ///   - path: of the file, for messages.
    public init(json: [String: Any], path: String) throws(ModelError) {
        let reader = ConfigurationReader(json: json, path: path)
        vocabularySize = try reader.count("vocab_size", default: 30_522)
        hiddenWidth = try reader.count("hidden_size", default: 768)
        layerCount = try reader.count("num_hidden_layers", default: 12, atMost: 1_000)
        headCount = try reader.count("num_attention_heads", default: 12)
        intermediateWidth = try reader.count("intermediate_size", default: 3_072)
        positionCount = try reader.count("max_position_embeddings", default: 512)
        segmentCount = try reader.count("type_vocab_size", default: 2)
        let epsilon = try reader.number("layer_norm_eps", default: 1e-12, in: 1e-30...1)
        normalizationEpsilon = Float(epsilon)
        hiddenDropout = try reader.probability("hidden_dropout_prob", default: 0.1)
        attentionDropout = try reader.probability("attention_probs_dropout_prob", default: 0.1)
        classifierDropout = try reader.probability("classifier_dropout", default: hiddenDropout)
        try reader.requireMultiple("hidden_size", hiddenWidth, of: "num_attention_heads", headCount)
        try reader.require("hidden_act", default: "gelu", among: ["gelu"])
        try reader.require("position_embedding_type", default: "absolute", among: ["absolute"])
        try reader.refuseChangedNetworks()
    }
}
