public import NeuralNetwork

/// DistilBERT (Sanh et al. 2019): BERT's arithmetic without segments and without a pooler, under names of its own.
public struct DistilBERTConfiguration: EncoderFamily, Equatable {
    let vocabularySize: Int  // vocab_size
    let width: Int  // dim
    let layerCount: Int  // n_layers
    let headCount: Int  // n_heads
    let intermediateWidth: Int  // hidden_dim
    let positionCount: Int  // max_position_embeddings
    let dropout: Double
    let attentionDropout: Double  // attention_dropout
    let classifierDropout: Double  // seq_classif_dropout
    private static let epsilon: Float = 1e-12

    public static var modelTypes: [String] { ["distilbert"] }
    public static var root: String { "distilbert." }
    public static var classifierArchitectures: [String: String] {
        ["distilbert": "DistilBertForSequenceClassification"]
    }
    public static var targetModules: [String] { ["q_lin", "k_lin", "v_lin", "out_lin", "ffn.lin1", "ffn.lin2"] }

    public init(json: [String: Any], path: String) throws(ModelError) {
        let reader = ConfigurationReader(json: json, path: path)
        vocabularySize = try reader.count("vocab_size", default: 30_522)
        width = try reader.count("dim", default: 768)
        layerCount = try reader.count("n_layers", default: 6, atMost: 1_000)
        headCount = try reader.count("n_heads", default: 12)
        intermediateWidth = try reader.count("hidden_dim", default: 3_072)
        positionCount = try reader.count("max_position_embeddings", default: 512)
        dropout = try reader.probability("dropout", default: 0.1)
        attentionDropout = try reader.probability("attention_dropout", default: 0.1)
        classifierDropout = try reader.probability("seq_classif_dropout", default: 0.2)
        try reader.requireMultiple("dim", width, of: "n_heads", headCount)
        try reader.require("activation", default: "gelu", among: ["gelu"])
        try reader.refuseChangedNetworks()
    }

    public var limits: EncoderLimits {
        EncoderLimits(vocabularySize: vocabularySize, longestSequence: positionCount, segmentCount: nil)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: classifierDropout) }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let name = Self.root + "embeddings."
        let words = model.table(name + "word_embeddings.weight", rows: vocabularySize, columns: width, .tokens)
        let positions = model.table(
            name + "position_embeddings.weight", rows: positionCount, columns: width, .positions(offset: 0))
        let embedded = model.network.dropped(
            model.normalized(
                model.network.embedded(Embedding([words, positions])), name + "LayerNorm", epsilon: Self.epsilon),
            model.dropout(dropout, site: 0))
        return (0..<layerCount).reduce(embedded) { hidden, index in
            block(hidden, "\(Self.root)transformer.layer.\(index)", site: 4 * (index + 1), in: model)
        }
    }

    private func block(
        _ hidden: NetworkValue, _ name: String, site: Int, in model: ModelDescription
    ) -> NetworkValue {
        func projection(_ part: String) -> AdaptedLinear { model.layer("\(name).attention.\(part)", width, width) }
        let (query, key, value) = (projection("q_lin"), projection("k_lin"), projection("v_lin"))
        let context = model.network.attention(
            of: hidden, query: query, key: key, value: value,
            Attention(
                headCount: headCount, headWidth: width / headCount,
                dropout: model.dropout(attentionDropout, site: site)))
        let attended = model.normalized(
            model.linear(context, "\(name).attention.out_lin", outputs: width), plus: hidden,
            "\(name).sa_layer_norm", epsilon: Self.epsilon)
        let widened = model.network.gelu(model.linear(attended, "\(name).ffn.lin1", outputs: intermediateWidth))
        return model.normalized(
            model.linear(widened, "\(name).ffn.lin2", outputs: width), plus: attended,
            "\(name).output_layer_norm", epsilon: Self.epsilon, dropout: model.dropout(dropout, site: site + 1))
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.activated(
            model.linear(model.network.first(hiddenStates), "pre_classifier", outputs: width, .pooler), .relu)
    }
}
