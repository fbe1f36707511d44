import Diagnostics
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
public import PEFTFormat
import Safetensors
public import Text

/// What a run on texts left, or another program: an adapter on its base model, or a whole model; ready to be evaluated.
public struct TrainedModel {
    public let task: TaskDescription
    public let tokenizer: ModelTokenizer
    public let model: AdaptedModel
    /// The classes, or nil for a regression.
    public let labels: ClassLabels?
    /// Of an adapter; nil for a whole model.
    public let base: AdapterBase?

    /// - Parameters:
    ///   - path: an adapter's folder, a model's that has a head, or that of a run.
    ///   - baseModel: of an adapter, its base model's folder; nil takes the one that the adapter names.
    public init(path: String, baseModel: String? = nil) throws {
        if let folder = Self.wholeModelFolder(path) {
            try Self.refuseBase(baseModel, of: folder)
            try self.init(wholeModel: folder)
        } else {
            try RunFolder(path: path).checkIsNotUnfinished()
            try self.init(adapter: Self.adapterFolder(path), baseModel: baseModel)
        }
    }

    private init(adapter folder: String, baseModel: String?) throws {
        let adapter = try Adapter(path: folder)
        let task = try TaskDescription(adapterFolder: folder, outputCount: adapter.outputCount)
        let base = try Self.baseModel(of: adapter, path: folder, override: baseModel)
        let encoder = try ModelFolder.loadEncoder(
            path: base, dropout: 0,
            quantization: task.baseQuantization.map { WeightQuantization(bits: $0.bits, group: $0.group) })
        if let missing = encoder.missing.first(where: { !adapter.denseLayers.contains($0.module) }) {
            throw TrainingError(
                .badData,
                "\(base): no tensor '\(missing.name)', and \(folder) brings none, so it was trained on another base; name "
                    + "that with --model")
        }
        let model = try AdaptedModel(
            encoder: encoder,
            adaptation: Adaptation(
                modules: adapter.modules.map { .init(path: $0.path, rank: $0.rank) },
                denseLayers: adapter.denseLayers,
                scale: adapter.settings.scale, dropout: 0), outputCount: adapter.outputCount)
        try model.load(adapter, path: folder, scale: adapter.settings.scale)
        try self.init(model, task: task, folder: base, base: AdapterBase(adapterFolder: folder, folder: base))
    }

    private init(wholeModel folder: String) throws {
        guard try ModelFolder.readConfiguration(path: folder)["model_type"] as? String != "superposition" else {
            throw TrainingError(
                .usage,
                "\(folder): a superposition network; see it with 'rankwise superposition analyze \(folder) --tensor weight'"
            )
        }
        try TaskDescription.checkWeights("model.safetensors", in: folder)
        let encoder = try ModelFolder.loadEncoder(path: folder, dropout: 0)
        let name = type(of: encoder.family).classifier + ".bias"
        guard let shape = encoder.storedShape(of: name), shape.count == 1, shape[0] > 0 else {
            throw TrainingError(
                .badData,
                "\(folder): no head '\(name)', expected a model for sequence classification, or an adapter")
        }
        let task = try TaskDescription(modelFolder: folder, outputCount: shape[0])
        if let missing = encoder.missing.first {
            throw TrainingError(
                .badData,
                "\(folder): no tensor '\(missing.name)', without which its head is of no use; train on this model, which "
                    + "makes a new one")
        }
        let model = try AdaptedModel(encoder: encoder, adaptation: .none, outputCount: shape[0], keepsHead: true)
        try self.init(model, task: task, folder: folder)
    }

    /// - Parameter folder: where the tokenizer is.
    private init(_ model: AdaptedModel, task: TaskDescription, folder: String, base: AdapterBase? = nil) throws {
        self.base = base
        self.model = model
        self.task = task
        labels = try task.labels.map { try ClassLabels(names: $0) }
        let longest = model.encoder.limits.longestSequence
        tokenizer = try ModelTokenizer(
            folder: folder, encoder: model.encoder, maximumLength: min(task.maximumLength ?? longest, longest),
            isPair: task.textPairColumn != nil)
    }

    /// - Throws: ``TrainingError`` if a base model is named for what has none.
    static func refuseBase(_ baseModel: String?, of folder: String) throws(TrainingError) {
        guard let baseModel else { return }
        throw TrainingError(.usage, "--model is \(baseModel), but \(folder) is a whole model; leave --model out")
    }

    /// The folder of a whole model: the path, or what a run left there. Nil where there is an adapter, or no model.
    public static func wholeModelFolder(_ path: String) -> String? {
        guard !FileManager.default.fileExists(atPath: adapterFolder(path) + "/adapter_config.json") else { return nil }
        return [RunFolder(path: path).modelPath, path].first {
            FileManager.default.fileExists(atPath: $0 + "/config.json")
        }
    }

    /// The adapter's folder in that of a run, or the folder itself.
    public static func adapterFolder(_ path: String) -> String {
        let inRun = RunFolder(path: path).adapterPath
        return FileManager.default.fileExists(atPath: inRun + "/adapter_config.json") ? inRun : path
    }

    /// The adapter's folder in that of a run, or the folder itself.
    ///
    /// - Throws: ``TrainingError`` (`usage`) where there is a whole model, which has no adapter to speak of; (`missingInput`)
    ///   where a run has not come to its end.
    public static func requiredAdapterFolder(_ path: String) throws(TrainingError) -> String {
        if let folder = wholeModelFolder(path) {
            throw TrainingError(
                .usage,
                "\(folder): a whole model without an adapter, which other programs load as it is; 'rankwise spectrum "
                    + "\(folder)' shows its weights")
        }
        try RunFolder(path: path).checkIsNotUnfinished()
        return adapterFolder(path)
    }

    /// Where the base model of an adapter is.
    public static func baseModel(of adapter: Adapter, path: String, override: String?) throws(TrainingError) -> String {
        let base = override ?? adapter.settings.baseModel
        guard FileManager.default.fileExists(atPath: base + "/config.json") else {
            throw TrainingError(
                .missingInput,
                override == nil
                    ? "\(path): its base model '\(base)' is not on this machine; give its folder with --model"
                    : "\(base): no such model folder, expected one with config.json")
        }
        return base
    }

    /// The labelled samples of a file.
    ///
    /// - Parameters:
    ///   - columns: nil for a column takes the one that the adapter was trained on.
    public func samples(
        path: String, text: String? = nil, textPair: String? = nil, label: String? = nil
    ) throws -> TrainingSamples {
        let columns = TextColumns(
            text: text ?? task.textColumn, textPair: textPair ?? task.textPairColumn, label: label ?? task.labelColumn)
        return try TrainingSamples(
            try TextTable(path: path, columns: columns), labels: labels, tokenizer: tokenizer)
    }

    /// What the model says of one text or pair.
    public struct Prediction: Sendable {
        /// The class's name; nil for a regression.
        public let label: String?
        /// Probabilities of the classes, or the number predicted.
        public let scores: [Double]
        public let logits: [Float]

        /// Of a classification.
        init(logits: [Float], labels: [String]) {
            let largest = Double(logits.max() ?? 0)
            let powers = logits.map { exp(Double($0) - largest) }
            let sum = powers.reduce(0, +)
            label = labels[Evaluation.largest(logits)]
            scores = powers.map { $0 / sum }
            self.logits = logits
        }

        /// Of a regression.
        init(number logits: [Float]) {
            label = nil
            scores = logits.map(Double.init)
            self.logits = logits
        }
    }

    /// Gives predictions for texts, in their order. A prediction does not depend on the other texts.
    ///
    /// - Parameters:
    ///   - place: of the text of an index, for messages.
    ///   - body: is given one prediction after the other, also those before a text that the network cannot take.
    /// - Throws: ``TrainingError`` for a text with a token that the network does not know; what `body` throws.
    public func forEachPrediction(
        for texts: [(text: String, pair: String?)], place: (Int) -> String, _ body: (Prediction) throws -> Void
    ) throws {
        var sequences: [TokenSequence] = []
        do {
            for (index, text) in texts.enumerated() {
                sequences.append(try tokenizer.sequence(text.text, pair: text.pair, place: place(index)))
            }
        } catch {
            try predictions(for: sequences).forEach(body)
            throw error
        }
        try predictions(for: sequences).forEach(body)
    }

    private func predictions(for sequences: [TokenSequence]) -> [Prediction] {
        Evaluation(model: model).logits(of: sequences).map { logits in
            labels.map { Prediction(logits: logits, labels: $0.names) } ?? Prediction(number: logits)
        }
    }
}
