import Diagnostics
public import LinearAlgebra
public import Models
public import NeuralNetwork

/// An encoder with a head on top, and the array that holds everything that is trained: adapters on some of the encoder's
/// linear layers, or all of its tensors, and the head.
public final class AdaptedModel {
    public let encoder: TextEncoder
    public private(set) var layout: ParameterLayout
    /// Classes, or 1 for a regression.
    public let outputCount: Int
    /// All trained parameters, laid out by `layout`; every process holds a replica.
    public private(set) var parameters: Matrix
    /// What is trained, and has no values to start with: by the names of their blocks.
    public let newTensors: [String: ModelTensor]

    private let adaptation: Adaptation
    private let network: Network

    /// A frozen encoder with adapters.
    ///
    /// - Parameters:
    ///   - outputCount: classes, or 1 for a regression.
    ///   - keepsHead: whether the head starts as that of the model's files, which then must fit.
    /// - Throws: ``TrainingError`` if the encoder lacks a module, or weights that the adaptation does not train; what reading
    ///   the head throws.
    public init(
        encoder: TextEncoder, adaptation: Adaptation, outputCount: Int, keepsHead: Bool = false
    ) throws {
        if let missing = encoder.missing.first(where: { !adaptation.denseLayers.contains($0.module) }) {
            throw TrainingError(
                .badData,
                "the model has no tensor '\(missing.name)', and there is none with what was trained on it; use the base "
                    + "that it was trained on, or train on this one, which makes a new one")
        }
        self.encoder = encoder
        self.adaptation = adaptation
        self.outputCount = outputCount
        network = encoder.classifier(outputs: outputCount)
        let trained = encoder.tensors.filter { $0.role == .head || adaptation.denseLayers.contains($0.module) }
        layout = try adaptation.layout(linears: encoder.linears, trained: trained.map(TrainedTensors.Tensor.init))
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        newTensors = try Self.start(
            trained, layout: layout, parameters: parameters, from: encoder, keepsHead: keepsHead)
        attach()
    }

    /// A model of which everything is trained.
    ///
    /// - Parameters:
    ///   - folder: of a pretrained model, which the encoder starts as.
    ///   - dropout: replaces the probabilities of the folder's configuration; nil keeps them.
    ///   - outputCount: classes, or 1 for a regression.
    ///   - keepsHead: whether the head starts as that of the model's files, which then must fit.
    /// - Throws: `ModelError`, `SafetensorsError`.
    public convenience init(
        trainingAllOf folder: String, dropout: Double?, outputCount: Int, keepsHead: Bool = false
    ) throws {
        let encoder = try ModelFolder.describeEncoder(path: folder, dropout: dropout)
        try self.init(trainingAllOf: encoder, outputCount: outputCount, keepsHead: keepsHead)
    }

    public init(trainingAllOf encoder: TextEncoder, outputCount: Int, keepsHead: Bool) throws {
        self.encoder = encoder
        self.outputCount = outputCount
        adaptation = .none
        network = encoder.classifier(outputs: outputCount)
        // Before memory is taken for what the configuration claims.
        for entry in encoder.tensors where entry.role == .pretrained { _ = try encoder.start(of: entry) }
        let tensors = TrainedTensors(encoder.tensors.map(TrainedTensors.Tensor.init))
        (layout, parameters) = (tensors.layout, tensors.parameters)
        newTensors = try Self.start(
            encoder.tensors, layout: layout, parameters: parameters, from: encoder, keepsHead: keepsHead)
        encoder.releaseFiles()
        attach()
    }

    /// Copies what the model's files have of the tensors that are trained in full.
    ///
    /// - Returns: those that they lack.
    private static func start(
        _ trained: [ModelTensor], layout: ParameterLayout, parameters: Matrix, from encoder: TextEncoder,
        keepsHead: Bool
    ) throws -> [String: ModelTensor] {
        let places = Dictionary(layout.blocks.filter { !$0.isTriplets }.map { ($0.name, $0) }) { first, _ in first }
        let missing = Set(encoder.missing.map(\.name))
        var new: [String: ModelTensor] = [:]
        for entry in trained {
            guard let place = places[entry.name] else { continue }
            let isNew = entry.role == .head ? !keepsHead : missing.contains(entry.name)
            if isNew {
                new[entry.name] = entry
            } else {
                let values = try encoder.start(of: entry)
                (parameters.pointer + place.elements.lowerBound).update(from: values, count: place.elements.count)
            }
        }
        return new
    }

    private func attach() {
        layout.train(encoder.tensors.map(\.tensor), in: parameters.pointer)
        adaptation.attach(layout, parameters: parameters, to: encoder.linears)
    }

    /// Removes the triplets that `mask` does not keep; layout and parameters are others afterwards.
    public func removeTriplets(keeping mask: [Bool]) {
        parameters = layout.parameters(parameters, keeping: mask)
        layout = layout.removingTriplets(keeping: mask)
        attach()
    }

    /// Triplets of all modules.
    public var tripletCount: Int { tripletBlocks.last?.rows.upperBound ?? 0 }

    /// The logits of every sample of the batch.
    ///
    /// - Returns: the logits, [rows of samples, outputs], and the batch of samples that says which row is whose.
    public func forward(_ batch: PackedBatch, pass: Pass) -> (logits: MatrixView, samples: PackedBatch) {
        let rows = encoder.rowSets(batch)
        return (network.forward(rows, pass: pass), rows[RowSet.samples.index])
    }

    /// Sets the gradients of everything that is trained, from those of the logits of the latest `forward`.
    public func backward(_ logitsGradient: MatrixView, pass: Pass, gradients: LaneGradients) {
        network.backward(logitsGradient, pass: pass, gradients: gradients)
    }
}

extension TrainedTensors.Tensor {
    init(_ tensor: ModelTensor) { self.init(name: tensor.name, shape: tensor.tensor.shape) }
}
