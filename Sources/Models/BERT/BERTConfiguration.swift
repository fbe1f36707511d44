import Diagnostics
import Foundation

/// What `config.json` says of a BERT model, checked.
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
        hiddenDropout = try reader.number("hidden_dropout_prob", default: 0.1, in: 0...0.999)
        attentionDropout = try reader.number("attention_probs_dropout_prob", default: 0.1, in: 0...0.999)
        classifierDropout = try reader.number("classifier_dropout", default: hiddenDropout, in: 0...0.999)
        guard hiddenWidth % headCount == 0 else {
            throw ModelError(
                .badData, "\(path): hidden_size \(hiddenWidth) is not a multiple of num_attention_heads \(headCount)")
        }
        try reader.require("hidden_act", default: "gelu", among: ["gelu"])
        try reader.require("position_embedding_type", default: "absolute", among: ["absolute"])
        for key in ["is_decoder", "add_cross_attention"] where json[key] as? Bool == true {
            throw ModelError(.badData, "\(path): \(key) is true, expected an encoder")
        }
        // Keys that say that the tensors are not those of a plain network.
        for key in ["pruned_heads", "quantization_config"] {
            guard let value = reader.value(key), (value as? [String: Any])?.isEmpty != true else { continue }
            throw ModelError(
                .badData, "\(path): \(key) is set, which this version does not read; save the model without it")
        }
    }
}
