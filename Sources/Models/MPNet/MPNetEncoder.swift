public import NeuralNetwork

/// MPNet (Song et al. 2020): BERT's blocks under other names, without segments, with a number for each distance and head that all
/// layers add to their scores.
public struct MPNetConfiguration: EncoderFamily, Equatable {
    /// What it shares with BERT.
    let bert: BERTConfiguration
    /// relative_attention_num_buckets
    let bucketCount: Int
    /// The row of the first position: one behind the padding token's, which transformers' class has at 1.
    private static let firstPosition = 2

    public static var modelTypes: [String] { ["mpnet"] }
    public static var root: String { "mpnet." }
    public static var classifierArchitectures: [String: String] { ["mpnet": "MPNetForSequenceClassification"] }
    public static var targetModules: [String] {
        ["attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"]
    }
    public static var classifier: String { "classifier.out_proj" }

    public init(json: [String: Any], path: String) throws(ModelError) {
        bert = try BERTConfiguration(json: json, path: path)
        let reader = ConfigurationReader(json: json, path: path)
        bucketCount = try reader.count("relative_attention_num_buckets", default: 32, from: 32, atMost: 1 << 16)
    }

    public var limits: EncoderLimits {
        EncoderLimits(
            vocabularySize: bert.vocabularySize, longestSequence: max(bert.positionCount - Self.firstPosition, 1),
            segmentCount: nil)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: bert.hiddenDropout) }
    public var distances: TokenDistances? { Self.distances }
    // transformers' class counts 32 buckets, whatever the table has.
    private static let distances = TokenDistances.halves(buckets: 32, largest: 128)

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let (name, width) = (Self.root + "embeddings.", bert.hiddenWidth)
        let words = model.table(
            name + "word_embeddings.weight", rows: bert.vocabularySize, columns: width, .tokens)
        let positions = model.table(
            name + "position_embeddings.weight", rows: bert.positionCount, columns: width,
            .positions(offset: Self.firstPosition))
        let embedded = model.network.dropped(
            model.normalized(
                model.network.embedded(Embedding([words, positions])), name + "LayerNorm",
                epsilon: bert.normalizationEpsilon),
            model.dropout(bert.hiddenDropout, site: 0))
        let bias = model.network.embedded(
            Embedding([
                model.table(
                    Self.root + "encoder.relative_attention_bias.weight", rows: bucketCount, columns: bert.headCount,
                    .positions(offset: 0))
            ]), rows: .distances)
        return (0..<bert.layerCount).reduce(embedded) { block($0, $1, bias, in: model) }
    }

    private func block(
        _ hidden: NetworkValue, _ index: Int, _ bias: NetworkValue, in model: ModelDescription
    ) -> NetworkValue {
        let (name, site, width) = ("\(Self.root)encoder.layer.\(index)", 4 * (index + 1), bert.hiddenWidth)
        func projected(_ part: String) -> NetworkValue {
            model.linear(hidden, "\(name).attention.attn.\(part)", outputs: width)
        }
        func normalized(
            _ x: NetworkValue, plus residual: NetworkValue, _ part: String, site: Int
        ) -> NetworkValue {
            model.normalized(
                x, plus: residual, "\(name).\(part).LayerNorm", epsilon: bert.normalizationEpsilon,
                dropout: model.dropout(bert.hiddenDropout, site: site))
        }
        let (query, key, value) = (projected("q"), projected("k"), projected("v"))
        let context = model.network.attention(
            query: query, key: key, value: value, bias: bias, Self.distances,
            Attention(
                headCount: bert.headCount, headWidth: width / bert.headCount,
                dropout: model.dropout(bert.attentionDropout, site: site)))
        let attended = normalized(
            model.linear(context, "\(name).attention.attn.o", outputs: width), plus: hidden, "attention",
            site: site + 1)
        let widened = model.network.gelu(
            model.linear(attended, "\(name).intermediate.dense", outputs: bert.intermediateWidth))
        return normalized(
            model.linear(widened, "\(name).output.dense", outputs: width), plus: attended, "output", site: site + 2)
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.tanh(model.headLayer(hiddenStates, dropout: bert.hiddenDropout))
    }
}
