import NeuralNetwork

extension BERTConfiguration {
    /// BERT (Devlin et al. 2019), as Hugging Face's `BertModel` computes it.
    ///
    /// - Parameters:
    ///   - tensors: by the names of ``tensors``.
    ///   - dropout: replaces the probabilities of the configuration; nil keeps them.
    ///   - lacksPooler: whether the model's files have none.
    func encoder(
        _ tensors: TensorSource, dropout: Double?, lacksPooler: Bool = false
    ) throws -> TextEncoder.Description {
        let network = NetworkDescription()
        var linears: [AdaptedLinear] = []
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws -> AdaptedLinear {
            let layer = try tensors.linear(name, outputs: outputs, inputs: inputs)
            linears.append(layer)
            return layer
        }
        func dropped(_ probability: Double, site: Int) -> Dropout {
            Dropout(site: UInt32(site), probability: dropout ?? probability)
        }

        let sum = network.embedded(try tensors.embedding(self), columns: hiddenWidth)
        let none = Dropout(site: 0, probability: 0)
        var hidden = network.dropped(
            network.normalized(sum, try tensors.normalization("embeddings.LayerNorm", self, dropout: none)),
            dropped(hiddenDropout, site: 0))
        for index in 0..<layerCount {
            let (layer, site) = ("encoder.layer.\(index)", 4 * (index + 1))
            let query = try linear("\(layer).attention.self.query", hiddenWidth, hiddenWidth)
            let key = try linear("\(layer).attention.self.key", hiddenWidth, hiddenWidth)
            let value = try linear("\(layer).attention.self.value", hiddenWidth, hiddenWidth)
            let output = try linear("\(layer).attention.output.dense", hiddenWidth, hiddenWidth)
            let context = network.attention(
                of: hidden, query: query, key: key, value: value,
                Attention(
                    headCount: headCount, headWidth: hiddenWidth / headCount,
                    dropout: dropped(attentionDropout, site: site)))
            let attended = network.normalized(
                network.linear(context, output), plus: hidden,
                try tensors.normalization(
                    "\(layer).attention.output.LayerNorm", self, dropout: dropped(hiddenDropout, site: site + 1)))
            let widened = network.gelu(
                network.linear(attended, try linear("\(layer).intermediate.dense", intermediateWidth, hiddenWidth)))
            hidden = network.normalized(
                network.linear(widened, try linear("\(layer).output.dense", hiddenWidth, intermediateWidth)),
                plus: attended,
                try tensors.normalization(
                    "\(layer).output.LayerNorm", self, dropout: dropped(hiddenDropout, site: site + 2)))
        }
        let pooler =
            lacksPooler
            ? AdaptedLinear(path: Self.root + Self.pooler, outputs: hiddenWidth, inputs: hiddenWidth)
            : try tensors.linear(Self.pooler, outputs: hiddenWidth, inputs: hiddenWidth)
        let pooled = network.tanh(network.linear(network.first(hidden), pooler))
        return TextEncoder.Description(
            hiddenWidth: hiddenWidth, vocabularySize: vocabularySize, longestSequence: positionCount,
            segmentCount: segmentCount, headDropout: dropout ?? classifierDropout, linears: linears + [pooler],
            missingLayers: lacksPooler ? [pooler] : [], network: network, hiddenStates: hidden, pooled: pooled)
    }

    /// Whether files have no pooler, as those of a model that was trained for another task than the classification of texts.
    static func lacksPooler(_ weights: FrozenWeights) -> Bool {
        !["weight", "bias"].contains { weights.has("\(pooler).\($0)") }
    }

    /// The tensors of a folder, with or without the prefix `bert.`.
    static func weights(
        folder: String, storage: any ConvertedWeights, quantization: WeightQuantization? = nil
    ) throws -> FrozenWeights {
        try FrozenWeights(
            folder: folder, prefixes: [root, ""], probe: "embeddings.word_embeddings.weight", storage: storage,
            quantization: quantization
        ) { $0.hasPrefix("encoder.layer.") || $0 == "pooler.dense.weight" || $0 == "embeddings.word_embeddings.weight" }
    }

    /// A remark on layers that a folder has and this configuration does not count; nil if there are none. Some cut a network so
    /// on purpose, but a config.json of another model looks the same.
    func remark(onUnusedLayersOf weights: FrozenWeights, folder: String) -> String? {
        let prefix = "encoder.layer."
        let layers = weights.names.compactMap { name in
            name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
        }
        guard let last = layers.max(), last >= layerCount else { return nil }
        return
            "\(folder): the weights have \(last + 1) layers, and config.json says num_hidden_layers \(layerCount); the others "
            + "are not used"
    }
}
