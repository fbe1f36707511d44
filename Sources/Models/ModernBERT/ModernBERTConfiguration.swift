import Diagnostics

/// What `config.json` says of a ModernBERT, checked.
public struct ModernBERTConfiguration: Sendable, Equatable {
    let vocabularySize: Int  // vocab_size
    let width: Int  // hidden_size
    let layerCount: Int  // num_hidden_layers
    let headCount: Int  // num_attention_heads
    let intermediateWidth: Int  // intermediate_size
    let positionCount: Int  // max_position_embeddings
    let epsilon: Float  // norm_eps
    let hasNormBias: Bool  // norm_bias
    let hasAttentionBias: Bool  // attention_bias
    let hasMLPBias: Bool  // mlp_bias
    let embeddingDropout: Double  // embedding_dropout
    let attentionDropout: Double  // attention_dropout
    let mlpDropout: Double  // mlp_dropout
    /// How far attention sees in a local layer: half of local_attention.
    let window: Int
    /// Whether each layer's attention is local.
    let isLocal: [Bool]  // layer_types, or global_attn_every_n_layers
    let globalTheta: Double
    let localTheta: Double
    /// Whether a sequence's vector is the mean of its tokens; else the first token's.
    let poolsMean: Bool  // classifier_pooling
    let hasClassifierBias: Bool  // classifier_bias
    let classifierDropout: Double  // classifier_dropout

    /// - Parameters:
    ///   - json: the contents of config.json.
    ///   - path: of the file, for messages.
    public init(json: [String: Any], path: String) throws(ModelError) {
        let reader = ConfigurationReader(json: json, path: path)
        vocabularySize = try reader.count("vocab_size", default: 50_368)
        width = try reader.count("hidden_size", default: 768)
        layerCount = try reader.count("num_hidden_layers", default: 22, atMost: 1_000)
        headCount = try reader.count("num_attention_heads", default: 12)
        intermediateWidth = try reader.count("intermediate_size", default: 1_152)
        positionCount = try reader.count("max_position_embeddings", default: 8_192)
        epsilon = Float(try reader.number("norm_eps", default: 1e-5, in: 1e-30...1))
        hasNormBias = try reader.flag("norm_bias", default: false)
        hasAttentionBias = try reader.flag("attention_bias", default: false)
        hasMLPBias = try reader.flag("mlp_bias", default: false)
        embeddingDropout = try reader.probability("embedding_dropout", default: 0)
        attentionDropout = try reader.probability("attention_dropout", default: 0)
        mlpDropout = try reader.probability("mlp_dropout", default: 0)
        window = try reader.count("local_attention", default: 128) / 2
        isLocal = try Self.isLocal(reader, layerCount: layerCount)
        globalTheta = try reader.theta("full_attention", "global_rope_theta", default: 160_000)
        localTheta = try reader.theta("sliding_attention", "local_rope_theta", default: 10_000)
        poolsMean = reader.value("classifier_pooling") as? String == "mean"
        hasClassifierBias = try reader.flag("classifier_bias", default: false)
        classifierDropout = try reader.probability("classifier_dropout", default: 0)
        try reader.requireMultiple("hidden_size", width, of: "num_attention_heads", headCount)
        guard (width / headCount) % 2 == 0 else {
            throw ModelError(.badData, "\(path): heads of odd width \(width / headCount), which cannot be rotated")
        }
        for key in ["hidden_activation", "classifier_activation"] {
            try reader.require(key, default: "gelu", among: ["gelu"])
        }
        try reader.require("classifier_pooling", default: "cls", among: ["cls", "mean"])
        try reader.refuseChangedNetworks()
    }

    private static func isLocal(_ reader: ConfigurationReader, layerCount: Int) throws(ModelError) -> [Bool] {
        let period = try reader.count("global_attn_every_n_layers", default: 3)
        guard let value = reader.value("layer_types") else { return (0..<layerCount).map { $0 % period != 0 } }
        let types = value as? [String] ?? []
        guard types.count == layerCount, types.allSatisfy({ ["full_attention", "sliding_attention"].contains($0) })
        else {
            throw ModelError(
                .badData,
                "\(reader.path): layer_types is \(value), expected full_attention or sliding_attention for each of "
                    + "\(layerCount) layers")
        }
        return types.map { $0 == "sliding_attention" }
    }
}

extension ConfigurationReader {
    /// The base of rotary positions: of a kind of layers in `rope_parameters`, or by its older key.
    fileprivate func theta(
        _ layerType: String, _ key: String, default fallback: Double
    ) throws(ModelError) -> Double {
        let range = 1.0...1e12
        guard let all = value("rope_parameters") as? [String: Any], let parameters = all[layerType] as? [String: Any]
        else { return try number(key, default: fallback, in: range) }
        let place = ConfigurationReader(json: parameters, path: "\(path): rope_parameters.\(layerType)")
        try place.require("rope_type", default: "default", among: ["default"])
        return try place.number("rope_theta", default: fallback, in: range)
    }
}
