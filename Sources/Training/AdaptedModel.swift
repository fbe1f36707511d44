import Diagnostics
public import LinearAlgebra
public import Models
public import NeuralNetwork

/// An encoder with a head on top, and the array that holds everything that is trained: adapters on some of the encoder's
/// linear layers, or all of its tensors, and the head.
public final class AdaptedModel {
    public let encoder: TextEncoder
    public private(set) var layout: ParameterLayout
    public private(set) var head: DenseHead
    /// Classes, or 1 for a regression.
    public let outputCount: Int
    /// All trained parameters, laid out by `layout`; every process holds a replica.
    public private(set) var parameters: Matrix

    private let adaptation: Adaptation
    private let logits = Matrix()  // [rows of samples, outputs]
    private let pooledGradient = Matrix()  // [rows of samples, hidden]
    private var samples: PackedBatch?

    /// - Parameter outputCount: classes, or 1 for a regression.
    /// - Throws: ``TrainingError`` if the encoder lacks a module, or weights that the adaptation does not train.
    public init(encoder: TextEncoder, adaptation: Adaptation, outputCount: Int) throws(TrainingError) {
        if let missing = encoder.missingLayers.first(where: { !adaptation.denseLayers.contains($0.path) }) {
            throw TrainingError(
                .badData,
                "the model has no tensor '\(missing.path).weight', and there is none with what was trained on it; use the base "
                    + "that it was trained on, or train on this one, which makes a new one")
        }
        self.encoder = encoder
        self.adaptation = adaptation
        self.outputCount = outputCount
        layout = try adaptation.layout(
            linears: encoder.linears, head: Self.headName, outputs: outputCount, features: encoder.hiddenWidth)
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        head = Adaptation.head(of: layout, parameters: parameters, dropout: encoder.headDropout)
        adaptation.attach(layout, parameters: parameters, to: encoder.linears)
    }

    /// A model of which everything is trained.
    ///
    /// - Parameters:
    ///   - folder: of a pretrained model, which the encoder starts as.
    ///   - dropout: replaces the probabilities of the folder's configuration; nil keeps them.
    ///   - outputCount: classes, or 1 for a regression.
    /// - Throws: `ModelError`, `SafetensorsError`.
    public init(trainingAllOf folder: String, dropout: Double?, outputCount: Int) throws {
        let (encoder, tensors) = try ModelFolder.loadTrainedEncoder(
            path: folder,
            head: { Adaptation.headTensors(Self.headName, outputs: outputCount, features: $0) }, dropout: dropout)
        self.encoder = encoder
        self.outputCount = outputCount
        adaptation = .none
        (layout, parameters) = (tensors.layout, tensors.parameters)
        head = Adaptation.head(of: layout, parameters: parameters, dropout: encoder.headDropout)
    }

    /// What BertForSequenceClassification calls its head.
    static let headName = "classifier"

    /// Removes the triplets that `mask` does not keep; layout and parameters are others afterwards.
    public func removeTriplets(keeping mask: [Bool]) {
        parameters = layout.parameters(parameters, keeping: mask)
        layout = layout.removingTriplets(keeping: mask)
        head = Adaptation.head(of: layout, parameters: parameters, dropout: encoder.headDropout)
        adaptation.attach(layout, parameters: parameters, to: encoder.linears)
    }

    /// Triplets of all modules.
    public var tripletCount: Int { tripletBlocks.last?.rows.upperBound ?? 0 }

    /// The logits of every sample of the batch.
    ///
    /// - Returns: the logits, [rows of samples, outputs], and the batch of samples that says which row is whose.
    public func forward(_ batch: PackedBatch, pass: Pass) -> (logits: MatrixView, samples: PackedBatch) {
        let samples = batch.samples()
        let pooled = encoder.forward(batch, samples: samples, pass: pass)
        logits.resize(rows: samples.rowCount, columns: outputCount)
        head.forward(pooled, into: logits.mutableView, batch: samples, pass: pass)
        self.samples = samples
        return (logits.view, samples)
    }

    /// Sets the gradients of everything that is trained, from those of the logits of the latest `forward`.
    public func backward(
        _ logitsGradient: MatrixView, batch: PackedBatch, pass: Pass, gradients: LaneGradients
    ) {
        guard let samples else { return }
        pooledGradient.resize(rows: samples.rowCount, columns: encoder.hiddenWidth)
        head.backward(
            logitsGradient, inputGradient: pooledGradient.mutableView, batch: samples, gradients: gradients)
        encoder.backward(pooledGradient.view, pass: pass, gradients: gradients)
    }
}
