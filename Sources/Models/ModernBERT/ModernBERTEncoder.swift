public import NeuralNetwork

/// ModernBERT (Warner et al. 2024): normalisation before each part of a block, positions that turn queries and keys, attention
/// that is local in most layers, gated feed-forward parts.
extension ModernBERTConfiguration: EncoderFamily {
    public static var modelTypes: [String] { ["modernbert"] }
    public static var root: String { "model." }
    public static var classifierArchitectures: [String: String] {
        ["modernbert": "ModernBertForSequenceClassification"]
    }
    public static var targetModules: [String] { ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"] }

    public var limits: EncoderLimits {
        EncoderLimits(vocabularySize: vocabularySize, longestSequence: positionCount, segmentCount: nil)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: classifierDropout) }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let words = model.table(
            Self.root + "embeddings.tok_embeddings.weight", rows: vocabularySize, columns: width, .tokens)
        let embedded = model.network.dropped(
            normalized(model.network.embedded(Embedding([words])), Self.root + "embeddings.norm", in: model),
            model.dropout(embeddingDropout, site: 0))
        let hidden = (0..<layerCount).reduce(embedded) { block($0, $1, in: model) }
        return normalized(hidden, Self.root + "final_norm", in: model)
    }

    private func block(_ hidden: NetworkValue, _ index: Int, in model: ModelDescription) -> NetworkValue {
        let (name, site) = ("\(Self.root)layers.\(index)", 4 * (index + 1))
        let headWidth = width / headCount
        // What the first layer reads is normalised already.
        let heard = index == 0 ? hidden : normalized(hidden, "\(name).attn_norm", in: model)
        let context = model.network.rotaryAttention(
            of: heard, projection: model.layer("\(name).attn.Wqkv", 3 * width, width, hasBias: hasAttentionBias),
            RotaryPositions(base: isLocal[index] ? localTheta : globalTheta, width: headWidth),
            Attention(
                headCount: headCount, headWidth: headWidth, window: isLocal[index] ? window : nil,
                dropout: model.dropout(attentionDropout, site: site)))
        let attended = model.network.sum(
            model.dropped(
                model.linear(context, "\(name).attn.Wo", outputs: width, hasBias: hasAttentionBias),
                attentionDropout, site: site + 1), plus: hidden)
        let gated = model.network.gated(
            model.linear(
                normalized(attended, "\(name).mlp_norm", in: model), "\(name).mlp.Wi",
                outputs: 2 * intermediateWidth, hasBias: hasMLPBias), .gelu)
        return model.network.sum(
            model.linear(
                model.dropped(gated, mlpDropout, site: site + 2), "\(name).mlp.Wo", outputs: width,
                hasBias: hasMLPBias), plus: attended)
    }

    private func normalized(_ x: NetworkValue, _ name: String, in model: ModelDescription) -> NetworkValue {
        model.normalized(x, name, epsilon: epsilon, hasBias: hasNormBias)
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        let pooled = poolsMean ? model.network.mean(hiddenStates) : model.network.first(hiddenStates)
        return model.normalized(
            model.network.gelu(
                model.linear(pooled, "head.dense", outputs: width, hasBias: hasClassifierBias, .pooler)),
            "head.norm", epsilon: epsilon, hasBias: hasNormBias, .pooler)
    }
}
