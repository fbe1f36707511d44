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
        /// Paths of further layers of its shape that use the same triplets.
        public let sharers: [String]

        public init(path: String, rank: Int, sharers: [String] = []) {
            self.path = path
            self.rank = rank
            self.sharers = sharers
        }
    }

    public let encoder: any TextEncoder
    public private(set) var layout: ParameterLayout
    /// The blocks of triplets, in the order of the encoder's modules.
    public private(set) var tripletBlocks: [ParameterLayout.Block]
    public private(set) var head: DenseHead
    /// Classes, or 1 for a regression.
    public let outputCount: Int
    /// All trained parameters, laid out by `layout`; every process holds a replica.
    public private(set) var parameters: Matrix

    private let scale: Float
    private let adapterDropout: Double
    private let logits = Matrix()  // [rows of samples, outputs]
    private let pooledGradient = Matrix()  // [rows of samples, hidden]
    private var samples: PackedBatch?

    /// - Parameters:
    ///   - modules: in the order of the encoder's linear layers.
    ///   - scale: s = lora_alpha / (init_r + 1e-5).
    ///   - adapterDropout: of the adapters' input.
    ///   - outputCount: classes, or 1 for a regression.
    /// - Throws: ``TrainingError`` if the encoder lacks a module.
    public init(
        encoder: any TextEncoder, modules: [AdaptedModule], scale: Float, adapterDropout: Double, outputCount: Int
    ) throws(TrainingError) {
        for module in modules where !encoder.linears.contains(where: { $0.path == module.path }) {
            throw TrainingError(
                .badData,
                "the adapter has a module '\(module.path)' that the model lacks; is this the base model it was trained on?"
            )
        }
        self.encoder = encoder
        self.scale = scale
        self.adapterDropout = adapterDropout
        self.outputCount = outputCount
        layout = Self.layout(modules, encoder: encoder, outputCount: outputCount)
        tripletBlocks = layout.blocks.filter(\.isTriplets)
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        head = Self.head(of: layout, parameters: parameters, encoder: encoder)
        attachAdapters()
    }

    private static func layout(
        _ modules: [AdaptedModule], encoder: any TextEncoder, outputCount: Int
    ) -> ParameterLayout {
        var layout = ParameterLayout()
        for module in modules {
            guard let linear = encoder.linears.first(where: { $0.path == module.path }) else { continue }
            layout.appendTriplets(
                name: module.path, sharers: module.sharers, count: module.rank, outputs: linear.outputs,
                inputs: linear.inputs)
        }
        layout.appendDense(name: "classifier.weight", rows: outputCount, columns: encoder.hiddenWidth)
        layout.appendDense(name: "classifier.bias", rows: 1, columns: outputCount)
        return layout
    }

    private static func head(
        of layout: ParameterLayout, parameters: Matrix, encoder: any TextEncoder
    ) -> DenseHead {
        let dense = layout.blocks.suffix(2)
        return DenseHead(
            weight: dense[dense.startIndex], bias: dense[dense.startIndex + 1], parameters: parameters.pointer,
            dropout: Dropout(site: headSite, probability: encoder.headDropout))
    }

    /// Has the encoder's layers use the triplets where they lie.
    private func attachAdapters() {
        let blocks = Dictionary(tripletBlocks.flatMap { block in block.uses.map { ($0, block) } }) { first, _ in first }
        for (index, linear) in encoder.linears.enumerated() {
            guard let block = blocks[linear.path], !block.rows.isEmpty else {
                linear.adapter = nil
                continue
            }
            linear.adapter = LinearAdapter(
                block: block, parameters: parameters.pointer, scale: scale,
                dropout: Dropout(site: Self.firstAdapterSite + UInt32(index), probability: adapterDropout))
        }
    }

    /// Removes the triplets that `mask` does not keep; layout and parameters are others afterwards.
    public func removeTriplets(keeping mask: [Bool]) {
        let (formerLayout, former) = (layout, parameters)
        layout = Self.layout(
            tripletBlocks.map {
                AdaptedModule(
                    path: $0.name, rank: mask[$0.rows].count { $0 }, sharers: Array($0.uses.dropFirst()))
            }, encoder: encoder,
            outputCount: outputCount)
        tripletBlocks = layout.blocks.filter(\.isTriplets)
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        var target = parameters.pointer
        for row in OwnedRow.all(of: formerLayout, in: 0..<formerLayout.rowCount)
        where !row.block.isTriplets || mask[row.index] {
            target.update(from: former.pointer + row.elements.lowerBound, count: row.elements.count)
            target += row.elements.count
        }
        head = Self.head(of: layout, parameters: parameters, encoder: encoder)
        attachAdapters()
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
        encoder.backward(
            pooledGradient.view, batch: batch, samples: samples, pass: pass, gradients: gradients)
    }
}
