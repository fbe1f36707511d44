import LinearAlgebra
import MessagePassing
public import Models
import NeuralNetwork
import Safetensors

extension SuperpositionNetwork: TrainableNetwork {
    /// Samples are drawn without end.
    public var sampleCount: Int? { nil }

    /// There are no triplets.
    public func removeTriplets(keeping mask: [Bool]) {}
}

/// A run on the superposition model. It reads nothing: its samples are drawn.
struct SuperpositionRun: PreparedRun {
    let configuration: TrainingConfiguration
    let superposition: SuperpositionNetwork

    init(_ configuration: TrainingConfiguration) {
        self.configuration = configuration
        superposition = SuperpositionNetwork(configuration.superposition.network(seed: configuration.seed))
    }

    var network: any TrainableNetwork { superposition }
    var inputs: [String: FileStamp] { [:] }
    var adapterHost: (any AdapterHost)? { nil }

    var subjectLines: [String] {
        let settings = configuration.superposition
        return ["# training samples: drawn, \(settings.features) features in \(settings.hidden) hidden numbers"]
    }

    func digests() throws -> RunDigests {
        try RunDigests(model: [], data: .files([]), initialAdapter: [])
    }

    /// Samples that are drawn for this alone; those of the validation are others than those of the test.
    func split(_ kind: SplitKind, progressed: @escaping () -> Void) -> (any EvaluatedSplit)? {
        let count = configuration.superposition.evaluationSamples
        return switch kind {
        case .test: NewSamples(network: superposition, range: 0..<count)
        case .validation:
            configuration.evaluationInterval.map { _ in
                NewSamples(network: superposition, range: count..<2 * count)
            }
        }
    }

    func writeResult(
        of trainer: Trainer, startedWith singularVectors: SingularVectorStart?, to folder: RunFolder,
        digests: RunDigests
    ) throws -> String {
        let settings = configuration.superposition
        let tensors = network.layout.blocks.map { block in
            TensorToWrite(
                name: block.name, elementType: .float32, shape: block.shape,
                bytes: UnsafeRawBufferPointer(
                    UnsafeBufferPointer(
                        start: network.parameters.pointer + block.elements.lowerBound, count: block.elements.count)))
        }
        try folder.replaceFolder(folder.modelPath) { partial in
            try ModelFolder.write(
                tensors,
                configuration: [
                    "model_type": "superposition", "n": settings.features, "m": settings.hidden,
                    "alpha": settings.exponent, "bias": settings.bias.rawValue,
                    "decay_mode": configuration.optimizer.decayMode.rawValue,
                    "weight_decay": configuration.optimizer.weightDecay, "seed": configuration.seed,
                    "torch_dtype": "float32",
                ], to: partial)
        }
        return "model: \(folder.modelPath)"
    }
}

/// Samples of a superposition network's data that are never trained on.
struct NewSamples: EvaluatedSplit {
    let network: SuperpositionNetwork
    /// Their indices.
    let range: Range<Int>

    func metrics(progressed: @escaping () -> Void, _ communicator: borrowing Communicator) throws -> Metrics {
        Metrics(
            count: range.count, loss: try meanLoss(progressed: progressed, communicator),
            geometry: try? RowGeometry(of: network.weight))
    }

    /// The mean loss, of the same bits for any number of processes. Collective.
    ///
    /// - Parameter progressed: called now and then.
    func meanLoss(progressed: () -> Void = {}, _ communicator: borrowing Communicator) throws -> Double {
        let length = SuperpositionNetwork.pieceLength
        let pieces = (range.count + length - 1) / length
        func start(ofProcess process: Int) -> Int {
            min(range.lowerBound + process * pieces / communicator.processCount * length, range.upperBound)
        }
        let process = communicator.processIndex
        let own = network.evaluate(start(ofProcess: process)..<start(ofProcess: process + 1), progressed: progressed)
        let sums = try communicator.allGathered(varying: own).elements
        return sums.reduce(0, +) / Double(max(range.count, 1))
    }
}
