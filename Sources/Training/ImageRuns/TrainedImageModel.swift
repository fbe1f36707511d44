import Diagnostics
import Foundation
public import Images
public import MessagePassing
import Models
public import PEFTFormat

/// An image network that a run left, trained in full or adapted, ready to be evaluated.
public struct TrainedImageModel {
    /// Names of the classes.
    public let labels: [String]
    public let transform: ImageTransform
    public let model: ImageModel
    private let path: String
    /// Of an adapter; nil for a whole network.
    public let base: AdapterBase?
    /// Column of the label in CSV files of the training.
    private let labelColumn: String?

    /// What a path holds.
    private enum Source {
        case model(folder: String)
        case adapter(folder: String)
    }

    private static func source(_ path: String) -> Source? {
        let run = RunFolder(path: path)
        for folder in [run.modelPath, path] where ImageModelFolder.isOne(folder) { return .model(folder: folder) }
        let folder = TrainedModel.adapterFolder(path)
        return TaskDescription.isImageClassification(adapterFolder: folder) ? .adapter(folder: folder) : nil
    }

    /// Whether a path is a run on images, or what it left.
    public static func isOne(_ path: String) -> Bool { source(path) != nil }

    /// - Parameters:
    ///   - path: a run's folder, a model's or an adapter's.
    ///   - baseModel: of an adapter, if it is not where the adapter says.
    public init(path: String, baseModel: String? = nil) throws {
        self.path = path
        switch Self.source(path) {
        case .model(let folder):
            try TrainedModel.refuseBase(baseModel, of: folder)
            let source = try ImageModelFolder(path: folder)
            try source.checkTensors()
            model = try ImageModel(source.configuration)
            try source.load(into: model)
            labels = source.labels
            transform = source.transform
            labelColumn = nil
            base = nil
        case .adapter(let folder):
            let adapter = try Adapter(path: folder)
            let task = try TaskDescription(adapterFolder: folder, outputCount: adapter.outputCount)
            let base = try ImageModelFolder(
                path: try TrainedModel.baseModel(of: adapter, path: folder, override: baseModel))
            self.base = AdapterBase(adapterFolder: folder, folder: base.path)
            var shape = base.configuration
            shape.classCount = adapter.outputCount
            model = try ImageModel(
                shape,
                weights: FrozenWeights(
                    folder: base.path, probe: "patch_embed.proj.weight", storage: PrivateWeights()),
                adaptation: .init(
                    modules: adapter.modules.map { .init(path: $0.path, rank: $0.rank) },
                    scale: adapter.settings.scale, dropout: 0))
            try model.load(adapter, path: folder, scale: adapter.settings.scale)
            labels = task.labels ?? (0..<adapter.outputCount).map(String.init)
            transform = try ImageModelFolder.transform(path: folder, side: base.configuration.imageSide)
            labelColumn = task.labelColumn
        case nil:
            try RunFolder(path: path).checkIsNotUnfinished()
            throw TrainingError(
                .badData,
                "\(path): neither a run on images nor an image model or an adapter of one, expected one of them")
        }
    }

    private func images(_ path: String, labelColumn: String?, readsLabels: Bool = true) throws -> ImageSet {
        let images = try ImageSet(
            path: path, labelColumn: labelColumn ?? self.labelColumn ?? "label", readsLabels: readsLabels)
        guard images.channels == model.configuration.channels else {
            throw TrainingError(
                .badData,
                "\(path): images of \(images.channels) channels, the model reads \(model.configuration.channels)")
        }
        return images
    }

    /// The metrics of a file of labelled images, the same on every process. Collective.
    public func metrics(
        path: String, labelColumn: String? = nil, _ communicator: borrowing Communicator
    ) throws -> Metrics {
        let images = try images(path, labelColumn: labelColumn)
        try images.check(classCount: labels.count)
        return try ImageEvaluation(model: model, transform: transform).metrics(of: images, communicator)
    }

    /// What the model says of every image of a file, in their order, group by group. The file may have labels or not.
    public func predict(
        path: String, labelColumn: String? = nil, _ body: (TrainedModel.Prediction) throws -> Void
    ) throws {
        let images = try images(path, labelColumn: labelColumn, readsLabels: false)
        let evaluation = ImageEvaluation(model: model, transform: transform)
        for start in stride(from: 0, to: images.count, by: 64) {
            let group = start..<min(start + 64, images.count)
            let logits = evaluation.logits(of: images, range: group)
            for index in group.indices {
                let first = (index - start) * labels.count
                try body(TrainedModel.Prediction(logits: Array(logits[first..<first + labels.count]), labels: labels))
            }
        }
    }

    /// Whether a path is a run that left a whole network, or such a network: there is no adapter to speak of.
    public static func isWhole(_ path: String) -> Bool {
        if case .model = source(path) { true } else { false }
    }

    /// Writes the whole network as a model folder.
    ///
    /// - Precondition: it is no adapter.
    public func write(to folder: String) throws {
        precondition(Self.isWhole(path))
        try ImageModelFolder.write(model, labels: labels, transform: transform, to: folder)
    }

    /// Writes a base network with an adapter added to its weights, and the adapter's head, as a model folder.
    ///
    /// - Parameters:
    ///   - source: the adapter's folder, for how pixels are read.
    ///   - folder: created.
    public static func writeMerged(
        _ adapter: Adapter, from source: String, labels: [String]?, baseFolder: String, to folder: String
    ) throws {
        let base = try ImageModelFolder(path: baseFolder)
        try base.checkTensors(exceptHead: true)
        var shape = base.configuration
        shape.classCount = adapter.outputCount
        let merged = try ImageModel(shape)
        try base.load(into: merged, exceptHead: true)
        for module in adapter.modules {
            guard let elements = merged.elements(of: module.path + ".weight"),
                elements.count == module.outputs * module.inputs
            else {
                throw TrainingError(
                    .badData,
                    "\(baseFolder): no weight of \(module.outputs) × \(module.inputs) for '\(module.path)'; is this the base model "
                        + "that the adapter was trained on?")
            }
            _ = elements.update(
                fromContentsOf: module.merged(into: Array(elements), scale: adapter.settings.scale))
        }
        for name in ["head.weight", "head.bias"] {
            guard let tensor = adapter.head.first(where: { $0.name == name }), let elements = merged.elements(of: name),
                tensor.values.count == elements.count
            else {
                throw TrainingError(
                    .badData, "\(source): no '\(name)' of \(shape.classCount) classes; export the adapter again")
            }
            _ = elements.update(fromContentsOf: tensor.values)
        }
        try ImageModelFolder.write(
            merged, labels: labels ?? (0..<shape.classCount).map(String.init),
            transform: try ImageModelFolder.transform(path: source, side: shape.imageSide), to: folder)
    }

    /// Copies what an adapter's folder says of pixels.
    public static func copyTransform(from source: String, to folder: String) throws {
        try ImageModelFolder.write(try ImageModelFolder.transform(path: source, side: 1), to: folder)
    }
}
