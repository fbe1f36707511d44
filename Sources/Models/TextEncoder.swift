internal import Diagnostics
public import LinearAlgebra
public import NeuralNetwork

/// A pretrained network that turns packed sequences of tokens into numbers for each sample.
///
/// What it computes is its family's description; what is trained on top of it, and how, does not depend on the family.
public final class TextEncoder {
    public let family: any EncoderFamily
    /// What a user should be told of the folder that it was read from, a line each.
    public let remarks: [String]
    /// Tensors that the model's files lack, so that they are trained in full, or come with an adapter.
    public let missing: [ModelTensor]
    let description: ModelDescription
    /// Where the values of the model's files lie.
    private var weights: FrozenWeights?

    private let hidden: NetworkValue
    private let features: NetworkValue
    private let pool = BufferPool()
    private lazy var states = network(output: hidden)
    private lazy var pooling = network(output: features)

    /// Describes the network, and looks into the folder for its tensors.
    ///
    /// - Parameters:
    ///   - dropout: replaces the probabilities of the configuration; nil keeps them.
    ///   - storage: for weights that have to be converted.
    ///   - quantization: in which the large matrices are held; nil leaves them as they are.
    /// - Throws: ``ModelError``, `SafetensorsError` for a folder that cannot be used.
    init(
        _ family: any EncoderFamily, folder: String, dropout: Double?, storage: any ConvertedWeights,
        quantization: WeightQuantization?
    ) throws {
        let description = ModelDescription(dropout: dropout)
        hidden = family.hiddenStates(in: description)
        features = family.features(of: hidden, in: description)
        let quantizable = Set(description.tensors.filter(\.isQuantizable).map(\.name))
        let weights = try FrozenWeights(
            folder: folder, root: type(of: family).root, probe: description.tensors[0].name, storage: storage,
            quantization: quantization, isQuantized: quantizable.contains)
        missing = description.tensors.filter { weights.lacks($0, among: description) }
        remarks = description.remark(onUnusedLayersOf: weights, folder: folder).map { [$0] } ?? []
        self.family = family
        self.description = description
        self.weights = weights
    }

    public var hiddenWidth: Int { description.network.columns(of: hidden) }
    /// Width of what the head's last layer reads.
    public var featureWidth: Int { description.network.columns(of: features) }
    public var limits: EncoderLimits { family.limits }
    public var linears: [AdaptedLinear] { description.linears }
    /// All tensors, from the tokens to the head.
    public var tensors: [ModelTensor] { description.tensors }

    /// Has every tensor of the model's files used where it lies, frozen.
    ///
    /// - Throws: ``ModelError``, `SafetensorsError`.
    func freeze() throws {
        let missing = Set(missing.map(\.name))
        guard let weights else { return }
        for entry in description.tensors where entry.role != .head && !missing.contains(entry.name) {
            try weights.set(entry.tensor)
        }
    }

    /// Puts a layer on top that gives `outputs` numbers for each sample.
    public func classifier(outputs: Int) -> Network {
        network(
            output: description.output(
                features, type(of: family).classifier, outputs: outputs,
                dropout: description.dropout(family.dropouts.classifier, site: DropoutSite.classifier)))
    }

    /// What the model's files have for a tensor.
    ///
    /// - Throws: ``ModelError``, `SafetensorsError` if it is not there or of another shape.
    public func start(of entry: ModelTensor) throws -> UnsafePointer<Float> {
        guard let weights else { throw ModelError(.computation, "the model's files were closed") }
        return try weights.floats(entry.name, shape: entry.tensor.shape)
    }

    /// The shape that the model's files have of a tensor; nil where they have none of this name.
    public func storedShape(of name: String) -> [Int]? { weights?.shape(of: name) }

    /// Lets go of the model's files, where every tensor has its values elsewhere.
    public func releaseFiles() { weights = nil }

    private func network(output: NetworkValue) -> Network {
        Network(description.network, output: output, pool: pool)
    }

    /// The hidden states of the last layer, [T, hidden].
    public func hiddenStates(_ batch: PackedBatch, pass: Pass) -> MatrixView {
        states.forward(rowSets(batch), pass: pass)
    }

    /// What the head's last layer reads, [rows of the samples, features].
    ///
    /// - Precondition: all layers below have their values: none is missing, and none is of the head.
    public func features(_ batch: PackedBatch, pass: Pass) -> MatrixView {
        pooling.forward(rowSets(batch), pass: pass)
    }

    /// The rows of a network's values: the tokens, the samples, and the distances where the network knows any.
    public func rowSets(_ batch: PackedBatch) -> [PackedBatch] {
        [batch, batch.samples()] + (family.distances.map { [batch.distances($0)] } ?? [])
    }
}

extension ModelDescription {
    /// A remark on layers that a folder has and this description does not use; nil if there are none. Some cut a network so
    /// on purpose, but a config.json of another model looks the same.
    func remark(onUnusedLayersOf weights: FrozenWeights, folder: String) -> String? {
        /// The numbers of layers that names have behind `….layer.`, by what comes before.
        func layerCount(_ names: [String]) -> Int {
            let numbers = names.compactMap { name -> Int? in
                let parts = name.split(separator: ".")
                return parts.firstIndex { $0 == "layer" || $0 == "layers" }.flatMap { place in
                    place + 1 < parts.count ? Int(parts[place + 1]) : nil
                }
            }
            return (numbers.max() ?? -1) + 1
        }
        let (there, used) = (layerCount(weights.names), layerCount(tensors.map(\.name)))
        guard there > used else { return nil }
        return "\(folder): the weights have \(there) layers, and config.json counts \(used); the others are not used"
    }
}
