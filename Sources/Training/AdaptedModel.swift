import Diagnostics
public import LinearAlgebra
public import Models
public import NeuralNetwork

/// An encoder with adapters on some of its linear layers and a head on top, and the array that holds everything that is
/// trained.
public final class AdaptedModel {
    /// A layer to be adapted, with its number of triplets.
    public struct AdaptedModule: Sendable, Equatable {
        public let path: String
        public let rank: Int

        public init(path: String, rank: Int) {
            self.path = path
            self.rank = rank
        }
    }

    public let encoder: any TextEncoder
    public let layout: ParameterLayout
    /// The blocks of triplets, in the order of the encoder's modules.
    public let tripletBlocks: [ParameterLayout.Block]
    public let head: DenseHead
    /// Classes, or 1 for a regression.
    public let outputCount: Int
    /// All trained parameters, laid out by `layout`; every process holds a replica.
    public let parameters: Matrix

    private let logits = Matrix()  // [rows of samples, outputs]
    private let pooledGradient = Matrix()  // [rows of samples, hidden]
    private var samples: PackedBatch?

    /// - Parameters:
    ///   - modules: in the order of the encoder's linear layers.
    ///   - scale: s = lora_alpha / (init_r + 1e-5).
    ///   - adapterDropout: of the adapters' input.
    ///   - headDropout: nil as the encoder's configuration says.
    /// - Throws: ``TrainingError`` if the encoder lacks a module.
    public init(
        encoder: any TextEncoder, modules: [AdaptedModule], scale: Float, adapterDropout: Double, outputCount: Int
    ) throws(TrainingError) {
        var layout = ParameterLayout()
        var attachments: [(AdaptedLinear, ParameterLayout.Block, UInt32)] = []
        for module in modules {
            guard let index = encoder.linears.firstIndex(where: { $0.path == module.path }) else {
                throw TrainingError(
                    .badData,
                    "the adapter has a module '\(module.path)' that the model lacks; is this the base model it was trained on?"
                )
            }
            let linear = encoder.linears[index]
            let block = layout.appendTriplets(
                name: module.path, count: module.rank, outputs: linear.outputs, inputs: linear.inputs)
            if module.rank > 0 { attachments.append((linear, block, UInt32(index))) }
        }
        tripletBlocks = layout.blocks
        let weight = layout.appendDense(name: "classifier.weight", rows: outputCount, columns: encoder.hiddenWidth)
        let bias = layout.appendDense(name: "classifier.bias", rows: 1, columns: outputCount)
        let parameters = Matrix(rows: 1, columns: layout.elementCount)
        for (linear, block, index) in attachments {
            linear.attach(
                LinearAdapter(
                    block: block, parameters: parameters.pointer, scale: scale,
                    dropout: Dropout(site: Self.firstAdapterSite + index, probability: adapterDropout)))
        }
        head = DenseHead(
            weight: weight, bias: bias, parameters: parameters.pointer,
            dropout: Dropout(site: Self.headSite, probability: encoder.headDropout))
        self.encoder = encoder
        self.layout = layout
        self.parameters = parameters
        self.outputCount = outputCount
    }

    // Sites of dropout beyond those of any encoder's own.
    private static let headSite: UInt32 = 0x70_0000
    private static let firstAdapterSite: UInt32 = 0x80_0000

    /// Triplets of all modules.
    public var tripletCount: Int { tripletBlocks.last?.rows.upperBound ?? 0 }

    /// The logits of every sample of the batch.
    ///
    /// - Returns: the logits, [rows of samples, outputs], and the batch of samples that says which row is whose.
    public func forward(_ batch: PackedBatch, pass: Pass) -> (logits: MatrixView, samples: PackedBatch) {
        let samples = batch.samples(alignment: encoder.alignment)
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
        encoder.backward(
            pooledGradient.view, batch: batch, samples: samples, pass: pass, gradients: gradients)
    }
}
