public import NeuralNetwork

/// DeBERTa of versions 2 and 3 (He et al. 2021): attention that tells contents and distances apart.
extension DeBERTaConfiguration: EncoderFamily {
    public static var modelTypes: [String] { ["deberta-v2"] }
    public static var root: String { "deberta." }
    public static var classifierArchitectures: [String: String] {
        ["deberta-v2": "DebertaV2ForSequenceClassification"]
    }
    public static var targetModules: [String] {
        [
            "query_proj", "key_proj", "value_proj", "attention.output.dense", "intermediate.dense", "output.dense",
        ]
    }

    public var limits: EncoderLimits {
        EncoderLimits(
            vocabularySize: vocabularySize, longestSequence: addsPositions ? positionCount : 1 << 16,
            segmentCount: segmentCount > 0 ? segmentCount : nil)
    }

    public var dropouts: EncoderDropouts { EncoderDropouts(classifier: classifierDropout) }

    public var distances: TokenDistances? {
        relative.map { .logarithmic(span: $0.span, buckets: $0.bucketCount, largest: $0.largestDistance) }
    }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        let embedded = self.embedded(in: model)
        let positions = relative.map { distanceRows($0, in: model) }
        var hidden = embedded
        for index in 0..<layerCount {
            hidden = block(hidden, index, positions, in: model)
            if index == 0, let kernelWidth {
                hidden = convolved(embedded, beside: hidden, width: kernelWidth, in: model)
            }
        }
        return hidden
    }

    private func embedded(in model: ModelDescription) -> NetworkValue {
        let name = Self.root + "embeddings."
        var tables = [
            model.table(name + "word_embeddings.weight", rows: vocabularySize, columns: embeddingWidth, .tokens)
        ]
        if addsPositions {
            tables.append(
                model.table(
                    name + "position_embeddings.weight", rows: positionCount, columns: embeddingWidth,
                    .positions(offset: 0)))
        }
        if segmentCount > 0 {
            tables.append(
                model.table(
                    name + "token_type_embeddings.weight", rows: segmentCount, columns: embeddingWidth, .segments))
        }
        var sum = model.network.embedded(Embedding(tables))
        if embeddingWidth != hiddenWidth {
            sum = model.linear(sum, name + "embed_proj", outputs: hiddenWidth, hasBias: false)
        }
        return model.dropped(normalized(sum, name + "LayerNorm", in: model), hiddenDropout, site: 0)
    }

    /// A row for each distance.
    private func distanceRows(_ relative: Relative, in model: ModelDescription) -> NetworkValue {
        let name = Self.root + "encoder."
        let rows = model.network.embedded(
            Embedding([
                model.table(
                    name + "rel_embeddings.weight", rows: 2 * relative.span, columns: hiddenWidth,
                    .positions(offset: relative.span))
            ]), rows: .distances)
        return relative.isNormalized ? normalized(rows, name + "LayerNorm", in: model) : rows
    }

    private func block(
        _ hidden: NetworkValue, _ index: Int, _ positions: NetworkValue?, in model: ModelDescription
    ) -> NetworkValue {
        let (name, site) = ("\(Self.root)encoder.layer.\(index)", 4 * (index + 1))
        let context = attention(hidden, "\(name).attention.self", site: site, positions, in: model)
        let attended = normalized(
            model.linear(context, "\(name).attention.output.dense", outputs: hiddenWidth), plus: hidden,
            "\(name).attention.output.LayerNorm", site: site + 1, in: model)
        let widened = model.network.gelu(
            model.linear(attended, "\(name).intermediate.dense", outputs: intermediateWidth))
        return normalized(
            model.linear(widened, "\(name).output.dense", outputs: hiddenWidth), plus: attended,
            "\(name).output.LayerNorm", site: site + 2, in: model)
    }

    private func attention(
        _ hidden: NetworkValue, _ name: String, site: Int, _ positions: NetworkValue?, in model: ModelDescription
    ) -> NetworkValue {
        let network = model.network
        func projection(_ part: String) -> AdaptedLinear {
            model.layer("\(name).\(part)", headCount * headWidth, hiddenWidth)
        }
        let (query, key, value) = (projection("query_proj"), projection("key_proj"), projection("value_proj"))
        let terms = (relative?.contentToPosition ?? false ? 1 : 0) + (relative?.positionToContent ?? false ? 1 : 0)
        let layer = Attention(
            headCount: headCount, headWidth: headWidth, scale: 1 / Float(headWidth * (1 + terms)).squareRoot(),
            dropout: model.dropout(attentionDropout, site: site))
        var positionKeys: NetworkValue?
        var positionQueries: NetworkValue?
        if let relative, let positions, let distances {
            let dropped = model.dropped(positions, hiddenDropout, site: site + 3)
            if relative.contentToPosition {
                positionKeys = network.linear(dropped, relative.sharesLayers ? key : projection("pos_key_proj"))
            }
            if relative.positionToContent {
                positionQueries = network.linear(
                    dropped, relative.sharesLayers ? query : projection("pos_query_proj"))
            }
            return network.attention(
                query: network.linear(hidden, query), key: network.linear(hidden, key),
                value: network.linear(hidden, value), positionKeys: positionKeys, positionQueries: positionQueries,
                distances, layer)
        }
        return network.attention(of: hidden, query: query, key: key, value: value, layer)
    }

    /// The convolution of the embeddings, added to what the first block gives.
    private func convolved(
        _ embedded: NetworkValue, beside block: NetworkValue, width: Int, in model: ModelDescription
    ) -> NetworkValue {
        let name = Self.root + "encoder.conv."
        let windows = model.network.windows(embedded, width: width)
        let convolution = model.dropped(
            model.convolution(windows, name + "conv", outputs: hiddenWidth, width: width), hiddenDropout, site: 1)
        let activated =
            switch convolutionActivation {
            case .tanh: model.network.tanh(convolution)
            case .gelu: model.network.gelu(convolution)
            case .relu: model.network.activated(convolution, .relu)
            }
        return normalized(activated, plus: block, name + "LayerNorm", in: model)
    }

    private func normalized(
        _ x: NetworkValue, plus residual: NetworkValue? = nil, _ name: String, site: Int? = nil,
        in model: ModelDescription
    ) -> NetworkValue {
        model.normalized(
            x, plus: residual, name, epsilon: epsilon,
            dropout: site.map { model.dropout(hiddenDropout, site: $0) } ?? Dropout(site: 0, probability: 0))
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.gelu(
            model.linear(
                model.dropped(
                    model.network.first(hiddenStates), poolerDropout, site: DropoutSite.features), "pooler.dense",
                outputs: hiddenWidth, .pooler))
    }
}
