import Diagnostics
import Foundation
import Images
import LinearAlgebra
import MessagePassing
public import Models
import NeuralNetwork
import PEFTFormat
import Safetensors

/// Everything that a run on images needs before its first step, read from its files.
public struct ImageRunPlan: PreparedRun {
    public let configuration: TrainingConfiguration
    public let classifier: ImageClassifier
    /// Names of the classes: their numbers, where the data has no names.
    public let labels: [String]
    let inputs: [String: FileStamp]
    let remarks: [String]
    private let modelFiles: [String]
    /// The model that the run starts from; nil for a new one.
    private let base: ImageModelFolder?

    var network: any TrainableNetwork { classifier }

    /// Reads model and data, or makes a new network, and sets the parameters of a new run.
    ///
    /// - Parameter storage: for weights that have to be converted.
    public init(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights()
    ) throws {
        let folder = configuration.modelFolder
        modelFiles = folder.map(ImageModelFolder.digestedFiles) ?? []
        let base = try folder.map { try ImageModelFolder(path: $0) }
        try base?.checkTensors(exceptHead: true)
        let images = try ImageSet(path: configuration.data.train, labelColumn: configuration.data.label)
        inputs = try FileStamp.all(of: modelFiles + images.files)
        let transform = try Self.transform(configuration, images: images, base: base)
        let classCount = images.classCount
        labels = (0..<classCount).map(String.init)
        remarks = try ClassOccurrence.remarks(on: images.labels, names: labels, path: images.path)
        let model: ImageModel
        if configuration.method == .full {
            var shape =
                try base?.configuration ?? configuration.hcformer.configuration(imageSide: transform.side, images)
            shape.classCount = classCount
            model = try ImageModel(shape)
            model.initializeTensors(seed: UInt64(configuration.seed))
            try base?.load(into: model, exceptHead: true)
        } else {
            guard let base else {
                throw TrainingError(
                    .usage, "model is null, but method: \(configuration.method.rawValue) adapts one; name its folder")
            }
            model = try Self.adapted(base, classCount: classCount, configuration, storage: storage)
        }
        guard model.configuration.channels == images.channels else {
            throw TrainingError(
                .badData,
                "\(images.path): images of \(images.channels) channels, the model reads \(model.configuration.channels)"
            )
        }
        self.configuration = configuration
        self.base = base
        classifier = ImageClassifier(
            model: model, images: images, transform: transform, limit: configuration.data.limit)
    }

    private static func adapted(
        _ base: ImageModelFolder, classCount: Int, _ configuration: TrainingConfiguration,
        storage: any ConvertedWeights
    ) throws -> ImageModel {
        var shape = base.configuration
        shape.classCount = classCount
        // The layers' names and shapes; adapters are chosen among them.
        let weights = try FrozenWeights(
            folder: base.path, probe: "patch_embed.proj.weight", storage: storage)
        let bare = try ImageModel(shape, weights: weights, adaptation: .none)
        let adaptation = try Adaptation(configuration, among: bare.linears)
        let model =
            adaptation.modules.isEmpty ? bare : try ImageModel(shape, weights: weights, adaptation: adaptation)
        try model.start(configuration)
        return model
    }

    /// How pixels become numbers: as the configuration says, and where it is silent as the base model does.
    private static func transform(
        _ configuration: TrainingConfiguration, images: ImageSet, base: ImageModelFolder?
    ) throws(TrainingError) -> ImageTransform {
        let image = configuration.image
        let side = image.side ?? base?.configuration.imageSide ?? images.height
        guard image.margin <= side else {
            throw TrainingError(.usage, "image.crop is \(image.margin), expected at most image.size, which is \(side)")
        }
        return ImageTransform(
            side: side, scale: image.scale, mean: image.mean, deviation: image.deviation, margin: image.margin,
            flips: image.flips)
    }

    var subjectLines: [String] {
        let (images, transform) = (classifier.images, classifier.transform)
        return [
            "# training samples: \(images.count) images of \(images.height) × \(images.width) × \(images.channels), read as "
                + "\(transform.side) × \(transform.side)",
            "# outputs: \(labels.count) classes",
            "# network: \(classifier.model.configuration.parameterCount) parameters",
        ]
    }

    func digests() throws -> RunDigests {
        try RunDigests(
            model: modelFiles.filter { FileManager.default.fileExists(atPath: $0) },
            data: .files(classifier.images.files), initialAdapter: configuration.initialAdapterFiles)
    }

    func split(_ kind: SplitKind, progressed: @escaping () -> Void) throws -> (any EvaluatedSplit)? {
        guard let path = configuration.data.path(of: kind) else { return nil }
        return Split(images: try images(path: path), model: classifier.model, transform: classifier.transform)
    }

    func checkSplit(path: String) throws -> [String] {
        _ = try images(path: path)
        return []
    }

    /// The images of another file with the same classes.
    private func images(path: String) throws -> ImageSet {
        let images = try ImageSet(path: path, labelColumn: configuration.data.label)
        try images.check(classCount: labels.count)
        guard images.channels == classifier.images.channels else {
            throw TrainingError(
                .badData,
                "\(path): images of \(images.channels) channels, the training data has \(classifier.images.channels)")
        }
        return images
    }

    private struct Split: EvaluatedSplit {
        let images: ImageSet
        let model: ImageModel
        let transform: ImageTransform

        func metrics(progressed: @escaping () -> Void, _ communicator: borrowing Communicator) throws -> Metrics {
            try ImageEvaluation(model: model, transform: transform, progressed: progressed)
                .metrics(of: images, communicator)
        }
    }

    var adapterHost: (any AdapterHost)? { classifier.model.tripletBlocks.isEmpty ? nil : classifier.model }

    func writeResult(
        of trainer: Trainer, startedWith singularVectors: SingularVectorStart?, to folder: RunFolder,
        digests: RunDigests
    ) throws -> String {
        let transform = classifier.transform
        guard configuration.method == .full || configuration.method == .head else {
            let task = taskDescription(digests, labels: labels)
            try folder.replaceFolder(folder.adapterPath) { partial in
                try trainer.adapter(startedWith: singularVectors).write(.adalora, to: partial, task: task)
                try ImageModelFolder.write(transform, to: partial)
            }
            return "adapter: \(folder.adapterPath)"
        }
        try folder.replaceFolder(folder.modelPath) { partial in
            try ImageModelFolder.write(try wholeModel(), labels: labels, transform: transform, to: partial)
        }
        return "model: \(folder.modelPath)"
    }

    /// The network with all its tensors: that which was trained in full, or the base model with the new classifier.
    private func wholeModel() throws -> ImageModel {
        let trained = classifier.model
        guard configuration.method == .head, let base else { return trained }
        let whole = try ImageModel(trained.configuration)
        try base.load(into: whole, exceptHead: true)
        for name in ["head.weight", "head.bias"] {
            guard let source = trained.elements(of: name), let target = whole.elements(of: name) else { continue }
            _ = target.update(fromContentsOf: source)
        }
        return whole
    }
}
