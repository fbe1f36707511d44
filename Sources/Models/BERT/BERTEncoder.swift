public import LinearAlgebra
public import NeuralNetwork

// Shapes: T rows of the batch (tokens), H hidden width, F intermediate width, S rows of samples.

/// A BERT model (Devlin et al. 2019), frozen or trained, as Hugging Face's `BertModel` computes it.
public final class BERTEncoder: TextEncoder {
    public let configuration: BERTConfiguration
    /// What the tensors lie in.
    private let owner: AnyObject
    private let embedding: Embedding
    private let embeddingNormalization: ResidualNormalization
    private let layers: [BERTLayer]
    private let pooler: AdaptedLinear

    private let embedded = Matrix()  // [T, H], the normalised sum's input
    private let input = Matrix()  // [T, H], what the first layer reads
    private let pooled = Matrix()  // [S, H]
    private let pooledGradient = Matrix()  // [S, H]
    private let firstTokenGradient = Matrix()  // [S, H], of the last layer's output
    private let gradient = Matrix()  // [T, H], of the input of the layer at hand
    private let embeddedGradient = Matrix()  // [T, H], where the embeddings are trained
    private let scratch = BERTLayer.Scratch()

    /// Frozen weights.
    ///
    /// - Parameters:
    ///   - folder: where `model.safetensors` is; names with or without the prefix `bert.`.
    ///   - dropout: replaces the probabilities of the configuration; nil keeps them.
    ///   - storage: for weights that have to be converted.
    ///   - quantization: in which linear layers and word embeddings are held; nil leaves them as they are.
    public convenience init(
        folder: String, configuration: BERTConfiguration, dropout: Double? = nil,
        storage: any ConvertedWeights = PrivateWeights(), quantization: WeightQuantization? = nil
    ) throws {
        let weights = try Self.weights(folder: folder, storage: storage, quantization: quantization)
        try self.init(
            configuration: configuration,
            tensors: weights.source(root: BERTConfiguration.root, of: configuration.tensors),
            owner: weights, dropout: dropout)
        tellOfUnusedLayers(weights, folder: folder)
    }

    /// Remarks on layers that the folder has and the configuration does not count: some cut a network so on purpose, but a
    /// config.json of another model looks the same.
    func tellOfUnusedLayers(_ weights: FrozenWeights, folder: String) {
        let prefix = "encoder.layer."
        let layers = weights.names.compactMap { name in
            name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
        }
        guard let last = layers.max(), last >= configuration.layerCount else { return }
        remarks.append(
            "\(folder): the weights have \(last + 1) layers, and config.json says num_hidden_layers "
                + "\(configuration.layerCount); the others are not used")
    }

    /// The tensors of a folder, with or without the prefix `bert.`.
    static func weights(
        folder: String, storage: any ConvertedWeights, quantization: WeightQuantization? = nil
    ) throws -> FrozenWeights {
        try FrozenWeights(
            folder: folder, prefixes: [BERTConfiguration.root, ""], probe: "embeddings.word_embeddings.weight",
            storage: storage, quantization: quantization
        ) { $0.hasPrefix("encoder.layer.") || $0 == "pooler.dense.weight" || $0 == "embeddings.word_embeddings.weight" }
    }

    /// - Parameters:
    ///   - owner: of the tensors' memory.
    ///   - dropout: replaces the probabilities of the configuration; nil keeps them.
    init(configuration: BERTConfiguration, tensors: TensorSource, owner: AnyObject, dropout: Double?) throws {
        self.configuration = configuration
        self.owner = owner
        embedding = try tensors.embedding(configuration)
        embeddingNormalization = try tensors.normalization(
            "embeddings.LayerNorm", configuration, dropout: Dropout(site: 0, probability: 0))
        outputDropout = Dropout(site: 0, probability: dropout ?? configuration.hiddenDropout)
        layers = try (0..<configuration.layerCount).map {
            try BERTLayer(index: $0, configuration: configuration, tensors: tensors, dropout: dropout)
        }
        pooler = try tensors.linear(
            "pooler.dense", outputs: configuration.hiddenWidth, inputs: configuration.hiddenWidth)
        headDropout = dropout ?? configuration.classifierDropout
    }

    /// Dropout of the normalised embeddings, which Hugging Face applies after the layer norm.
    private let outputDropout: Dropout
    private let embeddingMask = DroppedRows()

    public let headDropout: Double
    public private(set) var remarks: [String] = []
    public var hiddenWidth: Int { configuration.hiddenWidth }
    public var vocabularySize: Int { configuration.vocabularySize }
    public var longestSequence: Int { configuration.positionCount }
    public var segmentCount: Int { configuration.segmentCount }
    public var linears: [AdaptedLinear] { layers.flatMap(\.linears) + [pooler] }

    public func hiddenStates(_ batch: PackedBatch, pass: Pass) -> MatrixView {
        layers.reduce(embeddings(batch, pass: pass)) { $1.forward($0, batch: batch, pass: pass) }
    }

    private func embeddings(_ batch: PackedBatch, pass: Pass) -> MatrixView {
        embedded.resize(rows: batch.rowCount, columns: hiddenWidth)
        input.resize(rows: batch.rowCount, columns: hiddenWidth)
        embedding.forward(batch, into: embedded.mutableView)
        embeddingNormalization.forward(
            embedded.mutableView, bias: nil, residual: nil, into: input.mutableView, batch: batch, pass: pass)
        embeddingMask.apply(outputDropout, to: input.mutableView, batch: batch, pass: pass)
        return input.view
    }

    /// Of the last layer, only the first tokens go on to the pooler, so it computes no others.
    public func forward(_ batch: PackedBatch, samples: PackedBatch, pass: Pass) -> MatrixView {
        var hidden = embeddings(batch, pass: pass)
        for (index, layer) in layers.enumerated() {
            hidden = layer.forward(hidden, batch: batch, samples: index == layers.count - 1 ? samples : nil, pass: pass)
        }
        pooled.resize(rows: samples.rowCount, columns: hiddenWidth)
        pooler.forward(hidden, into: pooled.mutableView, batch: samples, pass: pass)
        HyperbolicTangent.forward(pooled.mutableView, bias: pooler.bias)
        return pooled.view
    }

    public func backward(
        _ outputGradient: MatrixView, batch: PackedBatch, samples: PackedBatch, pass: Pass, gradients: LaneGradients
    ) {
        let lowest = layers.firstIndex { $0.isTrained }
        guard let last = layers.last, lowest != nil || pooler.isTrained else { return }
        pooledGradient.resize(rows: samples.rowCount, columns: hiddenWidth)
        pooledGradient.pointer.update(from: outputGradient.base, count: samples.rowCount * hiddenWidth)
        HyperbolicTangent.backward(output: pooled.view, gradient: pooledGradient.mutableView)
        firstTokenGradient.resize(rows: samples.rowCount, columns: hiddenWidth)
        pooler.backward(
            pooledGradient.view, input: last.output,
            inputGradient: lowest == nil ? nil : firstTokenGradient.mutableView, batch: samples, pass: pass,
            gradients: gradients)
        guard let lowest else { return }

        gradient.resize(rows: batch.rowCount, columns: hiddenWidth)
        for index in (lowest..<layers.count).reversed() {
            let isLast = index == layers.count - 1
            layers[index].backward(
                isLast ? firstTokenGradient.mutableView : gradient.mutableView,
                input: index == 0 ? input.view : layers[index - 1].output,
                inputGradient: index > lowest || embedding.trained != nil ? gradient.mutableView : nil, batch: batch,
                samples: isLast ? samples : nil, pass: pass, gradients: gradients, scratch: scratch)
        }
        if embedding.trained != nil { setEmbeddingGradients(batch: batch, gradients: gradients) }
    }

    /// From `gradient`, that of what the first layer read.
    private func setEmbeddingGradients(batch: PackedBatch, gradients: LaneGradients) {
        embeddingMask.applyBackward(outputDropout, to: gradient.mutableView)
        embeddedGradient.resize(rows: batch.rowCount, columns: hiddenWidth)
        embeddingNormalization.backward(
            gradient.view, sum: embedded.view, residualGradient: embeddedGradient.mutableView, productGradient: nil,
            batch: batch, gradients: gradients)
        embedding.backward(embeddedGradient.view, batch: batch, gradients: gradients)
    }
}
