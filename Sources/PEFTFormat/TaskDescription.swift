import Diagnostics
import Foundation
import Safetensors

/// What an adapter or a model was trained to do, beyond what PEFT's and transformers' files say: `rankwise.json` in its
/// folder, which they do not look at.
public struct TaskDescription: Codable, Sendable, Equatable {
    public static let fileName = "rankwise.json"

    /// `sequence-classification` or `regression`.
    public var task: String
    /// Names of the classes in the order of the logits; nil for a regression.
    public var labels: [String]?
    /// Tokens of a sample, special tokens included.
    public var maximumLength: Int?
    /// Columns of the training file.
    public var textColumn: String
    public var textPairColumn: String?
    public var labelColumn: String
    /// Of the base model's files.
    public var modelDigest: String?
    /// SHA-256 of the adapter's weights, by which a damaged file is found; nil for an adapter that PEFT wrote.
    public var weightsDigest: String?

    /// Triplets of each module, its last ones, that are those of the start with λ negated, where training started with
    /// a part of the base's weights; nil elsewhere.
    public var startingRank: Int?

    /// The codes in which the base's large matrices were held in training.
    public struct Quantization: Codable, Sendable, Equatable {
        public var bits: Int
        public var group: Int

        public init(bits: Int, group: Int) {
            self.bits = bits
            self.group = group
        }
    }

    /// What the adapter was trained on, where that was not the base itself; nil elsewhere.
    public var baseQuantization: Quantization?

    /// Paths of modules that were trained with one adapter, which the weights repeat for each of them; nil where none were.
    public var sharedModules: [[String]]?

    /// Whether a file says this. What PEFT or transformers wrote does not say, for instance, whether texts come in pairs.
    public private(set) var isRecorded = true

    enum CodingKeys: String, CodingKey {
        case task, labels
        case sharedModules = "shared_modules"
        case baseQuantization = "base_quantization"
        case startingRank = "start_rank"
        case maximumLength = "max_length"
        case textColumn = "text"
        case textPairColumn = "text_pair"
        case labelColumn = "label"
        case modelDigest = "model_digest"
        case weightsDigest = "weights_sha256"
    }

    public init(
        task: String, labels: [String]?, maximumLength: Int?, textColumn: String, textPairColumn: String?,
        labelColumn: String, modelDigest: String?
    ) {
        self.task = task
        self.labels = labels
        self.maximumLength = maximumLength
        self.textColumn = textColumn
        self.textPairColumn = textPairColumn
        self.labelColumn = labelColumn
        self.modelDigest = modelDigest
    }

    /// The same of a model that needs no adapter.
    ///
    /// - Parameter weightsDigest: SHA-256 of its weights.
    func ofWholeModel(weightsDigest: String) -> TaskDescription {
        var task = TaskDescription(
            task: task, labels: labels, maximumLength: maximumLength, textColumn: textColumn,
            textPairColumn: textPairColumn, labelColumn: labelColumn, modelDigest: nil)
        task.weightsDigest = weightsDigest
        return task
    }

    public static let regression = "regression"
    public static let classification = "sequence-classification"
    public static let imageClassification = "image-classification"

    /// Whether a folder has an adapter of an image network.
    public static func isImageClassification(adapterFolder: String) -> Bool {
        struct Task: Decodable { let task: String }
        return part(Task.self, of: adapterFolder)?.task == imageClassification
    }

    /// The digest of the base model's files that an adapter was trained on; nil where none is written down.
    public static func modelDigest(adapterFolder: String) -> String? {
        struct Digest: Decodable {
            let modelDigest: String?
            enum CodingKeys: String, CodingKey { case modelDigest = "model_digest" }
        }
        return part(Digest.self, of: adapterFolder)?.modelDigest
    }

    /// The codes in which an adapter's base was held in training; nil where it was not.
    public static func baseQuantization(adapterFolder: String) -> Quantization? {
        struct Base: Decodable {
            let quantization: Quantization?
            enum CodingKeys: String, CodingKey { case quantization = "base_quantization" }
        }
        return part(Base.self, of: adapterFolder)?.quantization
    }

    /// Some of a folder's file; nil if it is not there.
    private static func part<Part: Decodable>(_ type: Part.Type, of folder: String) -> Part? {
        guard let data = try? JSONFile.contents(folder + "/" + fileName) else { return nil }
        return try? JSONDecoder().decode(type, from: data)
    }

    /// Reads the file of an adapter's folder. An adapter that PEFT wrote has none: then one output is a regression, more
    /// are classes named by their numbers.
    ///
    /// - Parameter outputCount: of the adapter's head.
    public init(adapterFolder: String, outputCount: Int) throws(PEFTFormatError) {
        let path = adapterFolder + "/" + Self.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            self.init(
                task: outputCount == 1 ? Self.regression : Self.classification,
                labels: outputCount == 1 ? nil : (0..<outputCount).map(String.init), maximumLength: nil,
                textColumn: "text", textPairColumn: nil, labelColumn: "label", modelDigest: nil)
            isRecorded = false
            return
        }
        let data = try JSONFile.contents(path)
        do {
            self = try JSONDecoder().decode(TaskDescription.self, from: data)
        } catch {
            throw PEFTFormatError(
                .badData, "\(path): expected a JSON object with task, labels, text and label; export the adapter again")
        }
        guard [Self.regression, Self.classification, Self.imageClassification].contains(task) else {
            throw PEFTFormatError(
                .badData, "\(path): task is '\(task)', expected '\(Self.classification)' or '\(Self.regression)'")
        }
        guard task == Self.regression ? labels == nil && outputCount == 1 : labels?.count == outputCount else {
            throw PEFTFormatError(
                .badData,
                "\(path): task '\(task)' with \(labels?.count ?? 0) labels for a head of \(outputCount) outputs; "
                    + "the file belongs to another adapter")
        }
        if let codes = baseQuantization,
            ![4, 8].contains(codes.bits) || !(8...65_536).contains(codes.group) || codes.group % 2 != 0
        {
            throw PEFTFormatError(
                .badData,
                "\(path): base_quantization has \(codes.bits) bits and groups of \(codes.group), expected 4 or 8, and an even "
                    + "number from 8 to 65536")
        }
        if let startingRank, !(1...65_536).contains(startingRank) {
            throw PEFTFormatError(.badData, "\(path): start_rank is \(startingRank), expected 1 to 65536")
        }
        if let maximumLength, maximumLength < 3 {
            throw PEFTFormatError(.badData, "\(path): max_length is \(maximumLength), expected at least 3")
        }
    }

    /// Reads the file of a whole model's folder; without one, what `config.json` says of the classes.
    ///
    /// - Parameter outputCount: of the model's head.
    public init(modelFolder: String, outputCount: Int) throws(PEFTFormatError) {
        try self.init(adapterFolder: modelFolder, outputCount: outputCount)
        let path = modelFolder + "/config.json"
        let json = try JSONFile.object(path)
        guard !FileManager.default.fileExists(atPath: modelFolder + "/" + Self.fileName) else {
            guard task != Self.imageClassification else {
                throw PEFTFormatError(
                    .badData, "\(modelFolder)/\(Self.fileName): task is '\(task)', but the model reads texts")
            }
            return
        }
        let problem = json["problem_type"] as? String
        guard problem == nil || problem == (labels == nil ? "regression" : "single_label_classification") else {
            throw PEFTFormatError(
                .badData,
                "\(path): problem_type is '\(problem ?? "")' with \(outputCount) outputs, expected one label of several, or"
                    + " one number")
        }
        guard labels != nil, let names = json["id2label"] as? [String: String] else { return }
        // `LABEL_3` is transformers' way of saying that class 3 has no name.
        labels = (0..<outputCount).map { index in
            names[String(index)].flatMap { $0 == "LABEL_\(index)" ? nil : $0 } ?? String(index)
        }
        guard Set(labels ?? []).count == outputCount else {
            throw PEFTFormatError(.badData, "\(path): id2label has a name twice; expected different ones")
        }
    }

    /// Checks the weights against the digest that stands beside them, if one does.
    ///
    /// - Throws: ``PEFTFormatError``, `SafetensorsError`.
    public static func checkWeights(_ name: String, in folder: String) throws {
        struct Digest: Decodable {
            let weightsDigest: String?
            enum CodingKeys: String, CodingKey { case weightsDigest = "weights_sha256" }
        }
        let path = folder + "/" + fileName
        guard FileManager.default.fileExists(atPath: path),
            let expected = try? JSONDecoder().decode(Digest.self, from: try JSONFile.contents(path)).weightsDigest
        else { return }
        let weights = folder + "/" + name
        guard try FileDigest.hexadecimal(ofFile: weights) == expected else {
            throw PEFTFormatError(
                .badData,
                "\(weights): its SHA-256 differs from that in \(fileName); the file is damaged, or of another model")
        }
    }

    func write(toFolder folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try DurableFile.write(try encoder.encode(self) + [UInt8(ascii: "\n")], to: folder + "/" + Self.fileName)
    }
}
