import Diagnostics
import Foundation

/// What `config.json` says of a DeBERTa of version 2 or 3, checked.
public struct DeBERTaConfiguration: Sendable, Equatable {
    let vocabularySize: Int  // vocab_size
    let embeddingWidth: Int  // embedding_size, or hidden_size
    let hiddenWidth: Int  // hidden_size
    let layerCount: Int  // num_hidden_layers
    let headCount: Int  // num_attention_heads
    let headWidth: Int  // attention_head_size, or hidden_size / num_attention_heads
    let intermediateWidth: Int  // intermediate_size
    let positionCount: Int  // max_position_embeddings
    /// Whether positions are added to the words; else distances alone tell places apart.
    let addsPositions: Bool  // position_biased_input
    let segmentCount: Int  // type_vocab_size
    let epsilon: Float  // layer_norm_eps
    let hiddenDropout: Double  // hidden_dropout_prob
    let attentionDropout: Double  // attention_probs_dropout_prob
    let poolerDropout: Double  // pooler_dropout
    let classifierDropout: Double  // cls_dropout, or hidden_dropout_prob
    /// Nil where attention knows no distances.
    let relative: Relative?
    /// Of the convolution beside the first block; nil for none.
    let kernelWidth: Int?  // conv_kernel_size
    let convolutionActivation: Activation  // conv_act

    /// How attention takes the distance of two tokens into account.
    struct Relative: Equatable {
        /// Distances are told apart up to this number of buckets in either direction.
        let span: Int
        /// position_buckets; nil where every distance has its own.
        let bucketCount: Int?
        /// max_relative_positions, or max_position_embeddings
        let largestDistance: Int
        let isNormalized: Bool  // norm_rel_ebd
        /// Whether distances go through the layers of the tokens.
        let sharesLayers: Bool  // share_att_key
        let contentToPosition: Bool  // pos_att_type: c2p
        let positionToContent: Bool  // pos_att_type: p2c
    }

    enum Activation: String {
        case gelu, tanh, relu
    }

    /// - Parameters:
    ///   - json: the contents of config.json.
    ///   - path: of the file, for messages.
    public init(json: [String: Any], path: String) throws(ModelError) {
        let reader = ConfigurationReader(json: json, path: path)
        vocabularySize = try reader.count("vocab_size", default: 128_100)
        hiddenWidth = try reader.count("hidden_size", default: 1_536)
        embeddingWidth = try reader.count("embedding_size", default: hiddenWidth)
        layerCount = try reader.count("num_hidden_layers", default: 24, atMost: 1_000)
        headCount = try reader.count("num_attention_heads", default: 24)
        intermediateWidth = try reader.count("intermediate_size", default: 6_144)
        positionCount = try reader.count("max_position_embeddings", default: 512)
        if reader.value("attention_head_size") == nil {
            try reader.requireMultiple("hidden_size", hiddenWidth, of: "num_attention_heads", headCount)
        }
        headWidth = try reader.count("attention_head_size", default: max(hiddenWidth / headCount, 1))
        guard headCount * headWidth <= 1 << 24 else {
            throw ModelError(
                .badData, "\(path): attention_head_size \(headWidth) with \(headCount) heads, expected fewer columns")
        }
        addsPositions = try reader.flag("position_biased_input", default: true)
        segmentCount = try reader.count("type_vocab_size", default: 0, from: 0)
        epsilon = Float(try reader.number("layer_norm_eps", default: 1e-7, in: 1e-30...1))
        hiddenDropout = try reader.probability("hidden_dropout_prob", default: 0.1)
        attentionDropout = try reader.probability("attention_probs_dropout_prob", default: 0.1)
        poolerDropout = try reader.probability("pooler_dropout", default: 0)
        classifierDropout = try reader.probability("cls_dropout", default: hiddenDropout)
        relative = try Self.relative(reader, positionCount: positionCount)
        let kernel = try reader.count("conv_kernel_size", default: 0, from: 0, atMost: 1_001)
        kernelWidth = kernel == 0 ? nil : kernel
        convolutionActivation = Activation(rawValue: reader.value("conv_act") as? String ?? "tanh") ?? .tanh
        try reader.require("hidden_act", default: "gelu", among: ["gelu"])
        try reader.require("pooler_hidden_act", default: "gelu", among: ["gelu"])
        try reader.require("conv_act", default: "tanh", among: ["tanh", "gelu", "relu"])
        guard kernel == 0 || kernel % 2 == 1, try reader.count("conv_groups", default: 1) == 1 else {
            throw ModelError(
                .badData,
                "\(path): conv_kernel_size \(kernel) with conv_groups \(json["conv_groups"] ?? 1), expected an odd width and 1 "
                    + "group; this version computes no other convolution")
        }
        guard try reader.count("pooler_hidden_size", default: hiddenWidth) == hiddenWidth else {
            throw ModelError(
                .badData, "\(path): pooler_hidden_size is not hidden_size, which this version does not compute")
        }
        try reader.refuseChangedNetworks()
    }

    private static func relative(
        _ reader: ConfigurationReader, positionCount: Int
    ) throws(ModelError) -> Relative? {
        guard try reader.flag("relative_attention", default: false) else { return nil }
        func optional(_ key: String) throws(ModelError) -> Int? {
            let number = try reader.count(key, default: -1, from: -1, atMost: 1 << 20)
            return number < 1 ? nil : number
        }
        let largest = try optional("max_relative_positions") ?? positionCount
        let buckets = try optional("position_buckets")
        let types =
            reader.value("pos_att_type") as? [String]
            ?? (reader.value("pos_att_type") as? String)?.lowercased().split(separator: "|")
            .map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        if let stranger = types.first(where: { !["c2p", "p2c", ""].contains($0) }) {
            throw ModelError(
                .badData,
                "\(reader.path): pos_att_type has '\(stranger)', expected c2p, p2c; this version computes no other")
        }
        try reader.require("norm_rel_ebd", default: "none", among: ["none", "layer_norm"])
        if let buckets, buckets < 4 || largest <= buckets / 2 + 1 {
            throw ModelError(
                .badData,
                "\(reader.path): position_buckets is \(buckets) for distances to \(largest), expected at least 4, and its half "
                    + "less than the distances by more than 1")
        }
        return Relative(
            span: buckets ?? largest, bucketCount: buckets, largestDistance: largest,
            isNormalized: reader.value("norm_rel_ebd") as? String == "layer_norm",
            sharesLayers: try reader.flag("share_att_key", default: false),
            contentToPosition: types.contains("c2p"), positionToContent: types.contains("p2c"))
    }
}
