import Checkpointing
import Diagnostics
import Foundation
import LinearAlgebra
import MessagePassing
public import Models
import NeuralNetwork
import PEFTFormat
import Safetensors
public import Text

/// Everything that a run needs before its first step, read from its files: the same on every process.
public struct RunPlan: PreparedRun {
    public let configuration: TrainingConfiguration
    public let tokenizer: ModelTokenizer
    /// The classes, or nil for a regression.
    public let labels: ClassLabels?
    public let training: TrainingSamples
    public let model: AdaptedModel
    /// The model with the training data.
    public let learner: TextLearner
    let inputs: [String: FileStamp]
    let remarks: [String]

    /// Reads model and data, attaches the adapters if there are any, and sets the parameters of a new run.
    ///
    /// - Parameters:
    ///   - storage: for weights that have to be converted.
    ///   - sharing: deals the rows that are to be tokenised to processes.
    ///   - progressed: called for every thousandth sample that is tokenised.
    public init(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights(),
        sharing: TrainingSamples.Sharing = { rowCount, part in try part(0..<rowCount) },
        progressed: @escaping (_ done: Int) -> Void = { _ in }
    ) throws {
        inputs = try FileStamp.all(
            of: ModelFolder.digestedFiles(path: configuration.model) + [configuration.data.train]
                + configuration.initialAdapterFiles)
        let table = try TextTable(path: configuration.data.train, columns: configuration.columns)
        let labels =
            configuration.task == .sequenceClassification
            ? try ClassLabels(from: table.rows, path: configuration.data.train) : nil
        let encoder =
            configuration.method == .full
            ? try ModelFolder.describeEncoder(path: configuration.model, dropout: configuration.dropout)
            : try Self.encoder(configuration, storage: storage)
        let head = try StoredHead(of: encoder, labels: labels?.names, folder: configuration.model)
        let model = try Self.model(
            configuration, encoder, outputCount: labels?.names.count ?? 1, keepsHead: head.isKept)
        let tokenizer = try Self.tokenizer(configuration, for: model.encoder)
        training = try TrainingSamples(
            table, labels: labels, tokenizer: tokenizer, sharing: sharing, progressed: progressed)
        var remarks = encoder.remarks + training.remarks
        if configuration.adapter.initialAdapter == nil { remarks += head.remarks }
        if let labels {
            remarks += try ClassOccurrence.remarks(
                on: training.targets.map { Int($0) }, names: labels.names, path: table.path)
        }
        self.remarks = remarks
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.labels = labels
        self.model = model
        learner = TextLearner(model: model, samples: training, limit: configuration.data.limit)
    }

    var network: any TrainableNetwork { learner }

    /// The model as it is before the first step.
    private static func model(
        _ configuration: TrainingConfiguration, _ encoder: TextEncoder, outputCount: Int, keepsHead: Bool
    ) throws -> AdaptedModel {
        let model: AdaptedModel
        if configuration.method == .full {
            model = try AdaptedModel(trainingAllOf: encoder, outputCount: outputCount, keepsHead: keepsHead)
        } else {
            let brought =
                try configuration.adapter.initialAdapter.map { path in
                    try Adapter(path: try TrainedModel.requiredAdapterFolder(path)).denseLayers
                } ?? []
            let saved = try TargetModules.saved(
                configuration.adapter.savedModules, among: encoder.tensors.map(\.module))
            model = try AdaptedModel(
                encoder: encoder,
                adaptation: try Adaptation(
                    configuration, among: encoder.linears,
                    denseLayers: encoder.missing.map(\.module) + saved + brought),
                outputCount: outputCount, keepsHead: keepsHead)
        }
        try model.start(configuration)
        return model
    }

    /// The encoder as it stays but for adapters.
    static func encoder(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights()
    ) throws -> TextEncoder {
        try ModelFolder.loadEncoder(
            path: configuration.model, dropout: configuration.dropout, storage: storage,
            quantization: configuration.baseQuantization.bits.map {
                WeightQuantization(bits: $0, group: configuration.baseQuantization.group)
            })
    }

    /// The model's tokenizer for the configuration's texts.
    private static func tokenizer(
        _ configuration: TrainingConfiguration, for encoder: TextEncoder
    ) throws -> ModelTokenizer {
        guard configuration.data.maximumLength <= encoder.limits.longestSequence else {
            throw TrainingError(
                .usage,
                "data.max_length is \(configuration.data.maximumLength), the model reads at most "
                    + "\(encoder.limits.longestSequence) tokens; lower it")
        }
        return try ModelTokenizer(
            folder: configuration.model, encoder: encoder, maximumLength: configuration.data.maximumLength,
            isPair: configuration.data.textPair != nil)
    }

    /// The samples of another split of the same task.
    public func samples(path: String, progressed: @escaping () -> Void = {}) throws -> TrainingSamples {
        try TrainingSamples(
            try TextTable(path: path, columns: configuration.columns), labels: labels, tokenizer: tokenizer,
            progressed: { _ in progressed() })
    }

    func checkSplit(path: String) throws -> [String] {
        let table = try TextTable(path: path, columns: configuration.columns)
        _ = try TrainingSamples.targets(of: table, labels: labels)
        return table.remarks
    }

    func split(_ kind: SplitKind, progressed: @escaping () -> Void) throws -> (any EvaluatedSplit)? {
        guard let path = configuration.data.path(of: kind) else { return nil }
        return Split(samples: try samples(path: path, progressed: progressed), model: model)
    }

    private struct Split: EvaluatedSplit {
        let samples: TrainingSamples
        let model: AdaptedModel

        func metrics(progressed: @escaping () -> Void, _ communicator: borrowing Communicator) throws -> Metrics {
            try Evaluation(model: model, progressed: progressed).metrics(of: samples, communicator)
        }
    }

    var adapterHost: (any AdapterHost)? { model.tripletBlocks.isEmpty ? nil : model }

    func writeResult(
        of trainer: Trainer, startedWith singularVectors: SingularVectorStart?, to folder: RunFolder,
        digests: RunDigests
    ) throws -> String {
        let task = taskDescription(digests, labels: labels?.names)
        guard adapterHost != nil else {
            try folder.replaceFolder(folder.modelPath) { partial in
                try trainer.adapter().writeMerged(
                    to: partial, baseFolder: configuration.model,
                    form: ModelFolder.mergedForm(path: configuration.model), task: task)
            }
            return "model: \(folder.modelPath)"
        }
        try folder.replaceFolder(folder.adapterPath) { partial in
            try trainer.adapter(startedWith: singularVectors).write(.adalora, to: partial, task: task)
        }
        return "adapter: \(folder.adapterPath)"
    }

    func digests() throws -> RunDigests {
        try RunDigests(
            model: ModelFolder.digestedFiles(path: configuration.model), data: .file(configuration.data.train),
            initialAdapter: configuration.initialAdapterFiles)
    }
}

extension TrainingConfiguration {
    var columns: TextColumns { TextColumns(text: data.text, textPair: data.textPair, label: data.label) }
}
