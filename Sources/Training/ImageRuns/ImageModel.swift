import Diagnostics
public import LinearAlgebra
public import Models
public import NeuralNetwork
import Randomness

/// An HCFormer with its classifier, and the array that holds everything that is trained: all of it, or adapters on its linear
/// layers and a new classifier.
public final class ImageModel: AdapterHost {
    public let configuration: HCFormerConfiguration
    public let network: HCFormer
    public private(set) var layout: ParameterLayout
    public private(set) var tripletBlocks: [ParameterLayout.Block]
    public private(set) var parameters: Matrix
    private var head: DenseHead
    /// What the adapters are attached with; nil where everything is trained.
    private let adaptation: Adaptation?

    private let logits = Matrix()  // [samples, classes]
    private let featuresGradient = Matrix()  // [samples, features]
    private var samples = PackedBatch.oneLane(samples: 0, rowsEach: 1)

    /// Adapters on frozen weights.
    public struct Adaptation {
        /// In the order of the network's linear layers.
        public let modules: [AdaptedModel.AdaptedModule]
        /// s = lora_alpha / (init_r + 1e-5).
        public let scale: Float
        /// Of the adapters' input.
        public let dropout: Double

        public init(modules: [AdaptedModel.AdaptedModule], scale: Float, dropout: Double) {
            self.modules = modules
            self.scale = scale
            self.dropout = dropout
        }
    }

    /// A network that is trained in full; all its parameters are 0 until they are set.
    public init(_ configuration: HCFormerConfiguration) throws {
        var layout = ParameterLayout()
        var blocks: [String: ParameterLayout.Block] = [:]
        for tensor in configuration.tensors {
            let (rows, columns) = tensor.matrixShape
            blocks[tensor.name] = layout.appendDense(name: tensor.name, rows: rows, columns: columns)
        }
        let parameters = Matrix(rows: 1, columns: layout.elementCount)
        network = try HCFormer(
            configuration: configuration,
            tensors: HCFormer.TensorSource { name in
                guard let block = blocks[name] else { throw Self.missing(name) }
                return NetworkTensor(
                    values: UnsafePointer(parameters.pointer + block.elements.lowerBound), block: block)
            })
        self.configuration = configuration
        self.layout = layout
        self.parameters = parameters
        tripletBlocks = []
        adaptation = nil
        head = try Self.head(of: layout, parameters: parameters)
    }

    /// A network with frozen weights, with adapters and a new classifier, whose parameters are 0 until they are set.
    ///
    /// - Parameters:
    ///   - weights: of a model of this configuration, but for the classes.
    /// - Throws: ``TrainingError`` if the network lacks a module, and what reading a tensor throws.
    public init(_ configuration: HCFormerConfiguration, weights: FrozenWeights, adaptation: Adaptation) throws {
        let shapes = Dictionary(configuration.tensors.map { ($0.name, $0.shape) }) { first, _ in first }
        network = try HCFormer(
            configuration: configuration,
            tensors: HCFormer.TensorSource { name in
                guard let shape = shapes[name] else { throw Self.missing(name) }
                return NetworkTensor(values: try weights.floats(name, shape: shape), block: nil)
            })
        for module in adaptation.modules where !network.linears.contains(where: { $0.path == module.path }) {
            throw TrainingError(
                .badData,
                "the adapter has a module '\(module.path)' that the model lacks; is this the base model it was trained on?"
            )
        }
        self.weights = weights
        self.configuration = configuration
        self.adaptation = adaptation
        layout = Self.layout(adaptation.modules, network: network)
        tripletBlocks = layout.blocks.filter(\.isTriplets)
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        head = try Self.head(of: layout, parameters: parameters)
        attachAdapters()
    }

    /// Kept as long as the network reads it.
    private var weights: FrozenWeights?

    public var linears: [AdaptedLinear] { network.linears }
    public var outputCount: Int { configuration.classCount }

    private static func missing(_ name: String) -> TrainingError {
        TrainingError(.computation, "the network asks for a tensor '\(name)' that its configuration lacks")
    }

    private static func layout(_ modules: [AdaptedModel.AdaptedModule], network: HCFormer) -> ParameterLayout {
        var layout = ParameterLayout()
        for module in modules {
            guard let linear = network.linears.first(where: { $0.path == module.path }) else { continue }
            layout.appendTriplets(
                name: module.path, sharers: module.sharers, count: module.rank, outputs: linear.outputs,
                inputs: linear.inputs)
        }
        layout.appendDense(
            name: "head.weight", rows: network.configuration.classCount, columns: network.featureWidth)
        layout.appendDense(name: "head.bias", rows: 1, columns: network.configuration.classCount)
        return layout
    }

    private static func head(of layout: ParameterLayout, parameters: Matrix) throws -> DenseHead {
        guard let weight = layout.blocks.first(where: { $0.name == "head.weight" }),
            let bias = layout.blocks.first(where: { $0.name == "head.bias" })
        else { throw missing("head.weight") }
        return DenseHead(
            weight: weight, bias: bias, parameters: parameters.pointer,
            dropout: Dropout(site: headSite, probability: 0))
    }

    // Sites of dropout beyond those of any network's own.
    private static let headSite: UInt32 = 0x70_0000
    private static let firstAdapterSite: UInt32 = 0x80_0000

    /// Has the network's layers use the triplets where they lie.
    private func attachAdapters() {
        guard let adaptation else { return }
        let blocks = Dictionary(tripletBlocks.flatMap { block in block.uses.map { ($0, block) } }) { first, _ in first }
        for (index, linear) in network.linears.enumerated() {
            guard let block = blocks[linear.path], !block.rows.isEmpty else {
                linear.adapter = nil
                continue
            }
            linear.adapter = LinearAdapter(
                block: block, parameters: parameters.pointer, scale: adaptation.scale,
                dropout: Dropout(site: Self.firstAdapterSite + UInt32(index), probability: adaptation.dropout))
        }
    }

    /// Removes the triplets that `mask` does not keep; layout and parameters are others afterwards.
    public func removeTriplets(keeping mask: [Bool]) {
        let (formerLayout, former) = (layout, parameters)
        layout = Self.layout(
            tripletBlocks.map {
                .init(path: $0.name, rank: mask[$0.rows].count { $0 }, sharers: Array($0.uses.dropFirst()))
            }, network: network)
        tripletBlocks = layout.blocks.filter(\.isTriplets)
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        var target = parameters.pointer
        for row in OwnedRow.all(of: formerLayout, in: 0..<formerLayout.rowCount)
        where !row.block.isTriplets || mask[row.index] {
            target.update(from: former.pointer + row.elements.lowerBound, count: row.elements.count)
            target += row.elements.count
        }
        let blocks = layout.blocks.suffix(2)
        head = DenseHead(
            weight: blocks[blocks.startIndex], bias: blocks[blocks.startIndex + 1], parameters: parameters.pointer,
            dropout: Dropout(site: Self.headSite, probability: 0))
        attachAdapters()
    }

    /// Sets the parameters of a network that is trained in full, before its first step.
    ///
    /// Each number is a function of (seed, tensor, index), the same whoever draws it.
    public func initializeTensors(seed: UInt64) {
        let normal = NormalSource(seed: seed)
        for (index, tensor) in configuration.tensors.enumerated() {
            guard let elements = elements(of: tensor.name) else { continue }
            switch tensor.start {
            case .normal(let deviation): normal.fill(elements, tensor: index, standardDeviation: deviation)
            case .constant(let value): elements.update(repeating: value)
            }
        }
    }

    /// The elements of a tensor that is trained in full.
    func elements(of name: String) -> UnsafeMutableBufferPointer<Float>? {
        layout.blocks.first { !$0.isTriplets && $0.name == name }.map {
            UnsafeMutableBufferPointer(start: parameters.pointer + $0.elements.lowerBound, count: $0.elements.count)
        }
    }

    /// The logits of some images of one lane: [samples, classes].
    ///
    /// - Parameters:
    ///   - images: [rows of `maps`, channels].
    ///   - firstSlot: place in the global batch of the first of them.
    public func forward(_ images: MatrixView, maps: FeatureMaps, firstSlot: Int, pass: Pass) -> MatrixView {
        let features = network.forward(images, maps: maps, firstSlot: firstSlot, pass: pass)
        samples = samples.reused(samples: maps.samples, rowsEach: 1, firstSlot: firstSlot)
        logits.resize(rows: maps.samples, columns: outputCount)
        head.forward(features, into: logits.mutableView, batch: samples, pass: pass)
        return logits.view
    }

    /// Sets the gradients of everything that is trained, from those of the logits of the latest `forward`.
    ///
    /// - Parameter gradients: of the lane that the samples are.
    public func backward(_ logitsGradient: MatrixView, images: MatrixView, pass: Pass, gradients: LaneGradients) {
        featuresGradient.resize(rows: logitsGradient.rows, columns: network.featureWidth)
        head.backward(
            logitsGradient, inputGradient: featuresGradient.mutableView, batch: samples, gradients: gradients)
        network.backward(featuresGradient.view, images: images, pass: pass, gradients: gradients)
    }
}
