public import NeuralNetwork

/// BERT (Devlin et al. 2019), as Hugging Face's `BertModel` computes it.
extension BERTConfiguration: EncoderFamily {
    public static var modelTypes: [String] { ["bert"] }
    public static var root: String { "bert." }
    public static var classifierArchitecture: String { "BertForSequenceClassification" }
    public static var targetModules: [String] {
        ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    }

    public var limits: EncoderLimits {
        EncoderLimits(vocabularySize: vocabularySize, longestSequence: positionCount, segmentCount: segmentCount)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: classifierDropout) }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let embeddings = Self.root + "embeddings."
        let words = model.table(
            embeddings + "word_embeddings.weight", rows: vocabularySize, columns: hiddenWidth, .tokens)
        let positions = model.table(
            embeddings + "position_embeddings.weight", rows: positionCount, columns: hiddenWidth,
            .positions(offset: 0))
        let segments = model.table(
            embeddings + "token_type_embeddings.weight", rows: segmentCount, columns: hiddenWidth, .segments)
        var hidden = model.network.dropped(
            model.normalized(
                model.network.embedded(Embedding([words, segments, positions])), embeddings + "LayerNorm",
                epsilon: normalizationEpsilon),
            model.dropout(hiddenDropout, site: 0))
        for index in 0..<layerCount {
            hidden = block(hidden, "\(Self.root)encoder.layer.\(index)", site: 4 * (index + 1), in: model)
        }
        return hidden
    }

    private func block(
        _ hidden: NetworkValue, _ name: String, site: Int, in model: ModelDescription
    ) -> NetworkValue {
        func projection(_ part: String) -> AdaptedLinear {
            model.layer("\(name).attention.self.\(part)", hiddenWidth, hiddenWidth)
        }
        let (query, key, value) = (projection("query"), projection("key"), projection("value"))
        let context = model.network.attention(
            of: hidden, query: query, key: key, value: value,
            Attention(
                headCount: headCount, headWidth: hiddenWidth / headCount,
                dropout: model.dropout(attentionDropout, site: site)))
        let attended = model.normalized(
            model.linear(context, "\(name).attention.output.dense", outputs: hiddenWidth), plus: hidden,
            "\(name).attention.output.LayerNorm", epsilon: normalizationEpsilon,
            dropout: model.dropout(hiddenDropout, site: site + 1))
        let widened = model.network.gelu(
            model.linear(attended, "\(name).intermediate.dense", outputs: intermediateWidth))
        return model.normalized(
            model.linear(widened, "\(name).output.dense", outputs: hiddenWidth), plus: attended,
            "\(name).output.LayerNorm", epsilon: normalizationEpsilon,
            dropout: model.dropout(hiddenDropout, site: site + 2))
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.tanh(
            model.linear(
                model.network.first(hiddenStates), "\(Self.root)pooler.dense", outputs: hiddenWidth, .pooler))
    }
}
