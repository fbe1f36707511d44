import Diagnostics
import Foundation
import NeuralNetwork

/// A Hugging Face model folder, whatever its family.
public enum ModelFolder {
    /// Loads the encoder that the folder holds, frozen.
    ///
    /// - Parameters:
    ///   - path: a folder with `config.json` and `model.safetensors` (or its sharded form).
    ///   - dropout: replaces the probabilities of config.json; nil keeps them.
    ///   - storage: for weights that have to be converted.
    ///   - quantization: in which the large matrices are held; nil leaves them as they are.
    /// - Throws: ``ModelError``, `SafetensorsError`.
    public static func loadEncoder(
        path: String, dropout: Double? = nil, storage: any ConvertedWeights = PrivateWeights(),
        quantization: WeightQuantization? = nil
    ) throws -> TextEncoder {
        let encoder = try describeEncoder(
            path: path, dropout: dropout, storage: storage, quantization: quantization)
        try encoder.freeze()
        return encoder
    }

    /// The encoder that the folder holds, whose tensors have no values yet: ``TextEncoder/start(of:)`` tells those of the
    /// folder.
    ///
    /// - Throws: ``ModelError``, `SafetensorsError`.
    public static func describeEncoder(
        path: String, dropout: Double? = nil, storage: any ConvertedWeights = PrivateWeights(),
        quantization: WeightQuantization? = nil
    ) throws -> TextEncoder {
        try TextEncoder(
            try encoderFamily(path: path), folder: path, dropout: dropout, storage: storage,
            quantization: quantization)
    }

    /// The linear layers of a block of the model in a folder, by the ends of their paths: what is adapted unless others are named.
    ///
    /// - Throws: ``ModelError`` if the folder holds no model that is known.
    public static func targetModules(path: String) throws -> [String] {
        if try readConfiguration(path: path)["model_type"] as? String == HCFormerConfiguration.modelType {
            return HCFormerConfiguration.targetModules
        }
        return type(of: try encoderFamily(path: path)).targetModules
    }

    /// Paths of the layers between an encoder's hidden states and a head, without which a head is of no use.
    public static func poolerLayers(of family: any EncoderFamily) -> [String] {
        let model = ModelDescription()
        _ = family.features(of: family.hiddenStates(in: model), in: model)
        return model.tensors.filter { $0.role == .pooler && $0.name.hasSuffix(".weight") }.map(\.module)
    }

    /// What the folder's config.json says, as its family reads it.
    ///
    /// - Throws: ``ModelError``, also for families that are not known.
    public static func encoderFamily(path: String) throws -> any EncoderFamily {
        let json = try readConfiguration(path: path)
        guard let name = json["model_type"] as? String, let family = EncoderFamilies.family(ofModelType: name) else {
            let known = EncoderFamilies.all.flatMap { $0.modelTypes }.map { "'\($0)'" }
            throw ModelError(
                .badData,
                "\(path)/config.json: model_type is '\(json["model_type"] as? String ?? "missing")', expected one of "
                    + "\(known.joined(separator: ", ")); this version trains models of these families")
        }
        return try family.init(json: json, path: "\(path)/config.json")
    }

    /// The files that decide what the model computes from a text, for digests.
    public static func digestedFiles(path: String) -> [String] {
        let tokenizer: Set = [
            "tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
            "added_tokens.json", "vocab.json", "merges.txt", "spm.model", "sentencepiece.bpe.model", "spiece.model",
            "tokenizer.model",
        ]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0 == "config.json" || $0.hasSuffix(".safetensors") || tokenizer.contains($0) }.sorted()
            .map { "\(path)/\($0)" }
    }

    /// `config.json` as a dictionary.
    public static func readConfiguration(path: String) throws(ModelError) -> [String: Any] {
        let file = "\(path)/config.json"
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw ModelError(
                .missingInput,
                "\(path): no such model folder; give a Hugging Face folder with config.json"
                    + (isNameOnHub(path)
                        ? "; nothing is fetched from the hub: 'hf download \(path) --local-dir FOLDER' does that" : ""))
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ModelError(
                .missingInput,
                "\(file): cannot be read; "
                    + (snapshot(inCache: path).map { "this is a folder of the hub's cache, the model is in \($0)" }
                        ?? "a model folder holds config.json and model.safetensors"))
        }
        guard data.count <= 1 << 20 else {
            throw ModelError(.badData, "\(file): \(data.count) bytes, expected at most 1 MiB; is this a config.json?")
        }
        if let complaint = GitLFSPointer.complaint(about: data) {
            throw ModelError(.badData, "\(file): \(complaint)")
        }
        if let offset = UnsortableText.offset(in: data) {
            throw ModelError(.badData, "\(file): \(UnsortableText.complaint(offset: offset))")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data), let json = object as? [String: Any] else {
            throw ModelError(.badData, "\(file): not a JSON object; download the file again")
        }
        return json
    }

    /// Whether a path could be meant as the name of a model on the Hugging Face hub: `name`, or `owner/name`.
    private static func isNameOnHub(_ path: String) -> Bool {
        path.wholeMatch(of: /[A-Za-z0-9][\w.\-]*(\/[\w.\-]+)?/.asciiOnlyWordCharacters()) != nil
    }

    /// The folder of a model within that of the hub's cache, `models--owner--name`, which has one for each revision.
    private static func snapshot(inCache path: String) -> String? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: path + "/snapshots")
        return names?.sorted().first.map { "\(path)/snapshots/\($0)" }
    }
}
