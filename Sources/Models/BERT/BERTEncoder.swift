public import NeuralNetwork

/// BERT (Devlin et al. 2019), as Hugging Face's `BertModel` computes it.
extension BERTConfiguration: EncoderFamily {
    public static var modelTypes: [String] { ["bert"] }
    public static var root: String { "bert." }
    public static var classifierArchitectures: [String: String] { ["bert": "BertForSequenceClassification"] }
    public static var targetModules: [String] {
        ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    }

    public var limits: EncoderLimits {
        EncoderLimits(vocabularySize: vocabularySize, longestSequence: positionCount, segmentCount: segmentCount)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: classifierDropout) }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        blocks(of: embedded(in: model, root: Self.root), in: model, root: Self.root)
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.tanh(
            model.linear(
                model.network.first(hiddenStates), "\(Self.root)pooler.dense", outputs: hiddenWidth, .pooler))
    }
}

// What other families share with it: the names behind the root are theirs, too.
extension BERTConfiguration {
    /// The sum of the embeddings of words, positions and segments, normalised.
    ///
    /// - Parameters:
    ///   - width: of the tables; nil takes that of the hidden states.
    ///   - positionOffset: the row of the first position.
    func embedded(
        in model: ModelDescription, root: String, width: Int? = nil, positionOffset: Int = 0
    ) -> NetworkValue {
        let (name, width) = (root + "embeddings.", width ?? hiddenWidth)
        let words = model.table(name + "word_embeddings.weight", rows: vocabularySize, columns: width, .tokens)
        let positions = model.table(
            name + "position_embeddings.weight", rows: positionCount, columns: width,
            .positions(offset: positionOffset))
        let segments = model.table(
            name + "token_type_embeddings.weight", rows: segmentCount, columns: width, .segments)
        return model.network.dropped(
            model.normalized(
                model.network.embedded(Embedding([words, segments, positions])), name + "LayerNorm",
                epsilon: normalizationEpsilon),
            model.dropout(hiddenDropout, site: 0))
    }

    func blocks(of embedded: NetworkValue, in model: ModelDescription, root: String) -> NetworkValue {
        (0..<layerCount).reduce(embedded) { hidden, index in
            block(hidden, "\(root)encoder.layer.\(index)", site: 4 * (index + 1), in: model)
        }
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
}
