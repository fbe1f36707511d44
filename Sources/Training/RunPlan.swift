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
public struct RunPlan {
    public let configuration: TrainingConfiguration
    public let tokenizer: WordPieceTokenizer
    /// The classes, or nil for a regression.
    public let labels: ClassLabels?
    public let training: TrainingSamples
    public let model: AdaptedModel
    /// The model with the training data.
    public let network: TextLearner
    private let inputs: [FileStamp]

    /// Reads model and data, attaches the adapters, and sets the parameters of a new run.
    ///
    /// - Parameters:
    ///   - storage: for weights that have to be converted.
    ///   - progressed: called for every thousandth sample that is tokenised.
    public init(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights(),
        progressed: () -> Void = {}
    ) throws {
        inputs = try FileStamp.all(
            of: ModelFolder.digestedFiles(path: configuration.model) + [configuration.data.train])
        let encoder = try Self.encoder(configuration, storage: storage)
        let tokenizer = try Self.tokenizer(configuration)
        try Self.check(encoder, tokenizer, configuration)
        let table = try TextTable(path: configuration.data.train, columns: configuration.columns)
        let labels =
            configuration.task == .sequenceClassification
            ? try ClassLabels(from: table.rows, path: configuration.data.train) : nil
        let modules = try TargetModules.matching(configuration.adapter.targetModules, among: encoder.linears)
        let adapted = try SharedModules.grouped(
            modules, by: configuration.adapter.sharedModules, rank: configuration.adapter.initialRank)
        try configuration.validate(moduleCount: adapted.count)
        let model = try AdaptedModel(
            encoder: encoder, modules: adapted,
            scale: configuration.adapterSettings.scale, adapterDropout: configuration.adapter.dropout,
            outputCount: labels?.names.count ?? 1)
        if let path = configuration.adapter.initialAdapter {
            try model.load(try Adapter(path: path), path: path)
        } else {
            try model.initialize(configuration)
        }
        training = try TrainingSamples(
            table, labels: labels, tokenizer: tokenizer, maximumLength: configuration.data.maximumLength,
            progressed: progressed)
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.labels = labels
        self.model = model
        network = TextLearner(model: model, samples: training)
    }

    static func encoder(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights()
    ) throws -> any TextEncoder {
        try ModelFolder.loadEncoder(
            path: configuration.model, dropout: configuration.dropout, storage: storage,
            quantization: configuration.baseQuantization.bits.map {
                WeightQuantization(bits: $0, group: configuration.baseQuantization.group)
            })
    }

    static func tokenizer(_ configuration: TrainingConfiguration) throws -> WordPieceTokenizer {
        try WordPieceTokenizer(modelDirectory: configuration.model)
    }

    /// The samples of another split of the same task.
    public func samples(path: String, progressed: () -> Void = {}) throws -> TrainingSamples {
        try TrainingSamples(
            try TextTable(path: path, columns: configuration.columns), labels: labels, tokenizer: tokenizer,
            maximumLength: configuration.data.maximumLength, progressed: progressed)
    }

    /// Checks that the files of the model and the training data are still those that were read. The model is mapped,
    /// so that a file that is written over changes what the run computes.
    ///
    /// - Throws: ``TrainingError`` naming the file.
    func checkInputsAreUnchanged() throws(TrainingError) {
        guard let changed = inputs.first(where: { !$0.isCurrent }) else { return }
        throw TrainingError(
            .badData,
            "\(changed.path): changed while the run was using it; restore it, then continue with --resume")
    }

    /// The digests by which a checkpoint recognises its model and its data.
    func digests() throws -> RunDigests {
        RunDigests(
            model: try Self.digest(of: ModelFolder.digestedFiles(path: configuration.model)),
            data: try FileDigest.hexadecimal(ofFile: configuration.data.train),
            initialAdapter: try Self.digest(of: initialAdapterFiles))
    }

    private var initialAdapterFiles: [String] {
        guard let folder = configuration.adapter.initialAdapter else { return [] }
        return Adapter.fileNames.map { folder + "/" + $0 }
    }

    /// One digest of several files and their names.
    private static func digest(of paths: [String]) throws -> String {
        let lines = try paths.map { path in
            "\((path as NSString).lastPathComponent) \(try FileDigest.hexadecimal(ofFile: path))\n"
        }
        return FileDigest.hexadecimal(of: Data(lines.joined().utf8))
    }

    private static func check(
        _ encoder: any TextEncoder, _ tokenizer: WordPieceTokenizer, _ configuration: TrainingConfiguration
    ) throws(TrainingError) {
        guard configuration.data.maximumLength <= encoder.longestSequence else {
            throw TrainingError(
                .usage,
                "data.max_length is \(configuration.data.maximumLength), the model reads at most "
                    + "\(encoder.longestSequence) tokens; lower it")
        }
        guard tokenizer.vocabularySize <= encoder.vocabularySize else {
            throw TrainingError(
                .badData,
                "\(configuration.model): the tokenizer has \(tokenizer.vocabularySize) tokens, the model's embedding "
                    + "\(encoder.vocabularySize); the files belong to different models")
        }
        if configuration.data.textPair != nil, encoder.segmentCount < 2 {
            throw TrainingError(.usage, "data.text_pair: the model knows one segment only; train on single texts")
        }
    }
}

extension TrainingConfiguration {
    var columns: TextColumns { TextColumns(text: data.text, textPair: data.textPair, label: data.label) }
}
