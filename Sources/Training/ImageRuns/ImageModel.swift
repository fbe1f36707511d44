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
    public private(set) var parameters: Matrix
    private var head: DenseHead
    /// What the adapters are attached with; nil where everything is trained.
    private let adaptation: Adaptation?

    private let logits = Matrix()  // [samples, classes]
    private let featuresGradient = Matrix()  // [samples, features]
    private var samples = PackedBatch.oneLane(samples: 0, rowsEach: 1)

    /// A network that is trained in full; all its parameters are 0 until they are set.
    public init(_ configuration: HCFormerConfiguration) throws {
        let tensors = TrainedTensors(configuration.tensors.map(\.laidOut))
        (layout, parameters) = (tensors.layout, tensors.parameters)
        network = try HCFormer(configuration: configuration, tensors: tensors.source())
        self.configuration = configuration
        adaptation = nil
        head = Adaptation.head(of: layout, parameters: parameters, dropout: 0)
    }

    /// A network with frozen weights, with adapters and a new classifier, whose parameters are 0 until they are set.
    ///
    /// - Parameters:
    ///   - weights: of a model of this configuration, but for the classes.
    /// - Throws: ``TrainingError`` if the network lacks a module, and what reading a tensor throws.
    public init(_ configuration: HCFormerConfiguration, weights: FrozenWeights, adaptation: Adaptation) throws {
        network = try HCFormer(
            configuration: configuration,
            tensors: weights.source(of: configuration.tensors.map(\.laidOut)))
        self.weights = weights
        self.configuration = configuration
        self.adaptation = adaptation
        layout = try adaptation.layout(
            linears: network.linears,
            trained: Adaptation.headTensors(
                "head", outputs: configuration.classCount, features: network.featureWidth))
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        head = Adaptation.head(of: layout, parameters: parameters, dropout: 0)
        adaptation.attach(layout, parameters: parameters, to: network.linears)
    }

    /// Kept as long as the network reads it.
    private var weights: FrozenWeights?

    public var linears: [AdaptedLinear] { network.linears }
    public var outputCount: Int { configuration.classCount }

    /// Removes the triplets that `mask` does not keep; layout and parameters are others afterwards.
    public func removeTriplets(keeping mask: [Bool]) {
        parameters = layout.parameters(parameters, keeping: mask)
        layout = layout.removingTriplets(keeping: mask)
        head = Adaptation.head(of: layout, parameters: parameters, dropout: 0)
        adaptation?.attach(layout, parameters: parameters, to: network.linears)
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
