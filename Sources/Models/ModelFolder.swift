import Diagnostics
import Foundation
import LinearAlgebra
import NeuralNetwork

/// A Hugging Face model folder, whatever its family.
public enum ModelFolder {
    /// Loads the encoder that the folder holds.
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
        let configuration = try bertConfiguration(path: path)
        let weights = try BERTConfiguration.weights(folder: path, storage: storage, quantization: quantization)
        let tensors = weights.source(root: BERTConfiguration.root, of: configuration.tensors)
        return TextEncoder(
            try configuration.encoder(
                tensors, dropout: dropout, lacksPooler: BERTConfiguration.lacksPooler(weights)), owner: weights)
    }

    /// An encoder that is trained in full, with what the folder holds as its start; tensors of layers that it lacks stay 0.
    ///
    /// - Parameters:
    ///   - head: tensors of what is trained on top of so many features, which come last and stay 0.
    ///   - dropout: replaces the probabilities of config.json; nil keeps them.
    /// - Throws: ``ModelError``, `SafetensorsError`.
    public static func loadTrainedEncoder(
        path: String, head: (_ features: Int) -> [TrainedTensors.Tensor], dropout: Double?
    ) throws -> (encoder: TextEncoder, tensors: TrainedTensors) {
        let configuration = try bertConfiguration(path: path)
        let weights = try BERTConfiguration.weights(folder: path, storage: PrivateWeights())
        // Before memory is taken for what the configuration claims.
        let lacksPooler = BERTConfiguration.lacksPooler(weights)
        let values = try configuration.tensors.filter { !lacksPooler || !$0.name.hasPrefix(BERTConfiguration.pooler) }
            .map { try weights.floats($0.name, shape: $0.shape) }
        let tensors = TrainedTensors(
            configuration.tensors.map { .init(name: BERTConfiguration.root + $0.name, shape: $0.shape) }
                + head(configuration.hiddenWidth))
        withExtendedLifetime(weights) {
            for (values, block) in zip(values, tensors.layout.blocks) {
                (tensors.parameters.pointer + block.elements.lowerBound).update(
                    from: values, count: block.elements.count)
            }
        }
        let description = try configuration.encoder(
            tensors.source(root: BERTConfiguration.root), dropout: dropout, lacksPooler: lacksPooler)
        for layer in description.missingLayers { tensors.layout.train(layer, in: tensors.parameters.pointer) }
        return (TextEncoder(description, owner: tensors.parameters), tensors)
    }

    private static func bertConfiguration(path: String) throws -> BERTConfiguration {
        let json = try readConfiguration(path: path)
        let family = json["model_type"] as? String
        guard family == "bert" else {
            throw ModelError(
                .badData,
                "\(path)/config.json: model_type is '\(family ?? "missing")', expected 'bert'; "
                    + "this version trains models of the BERT family only")
        }
        return try BERTConfiguration(json: json, path: "\(path)/config.json")
    }

    /// The files that decide what the model computes from a text, for digests.
    public static func digestedFiles(path: String) -> [String] {
        let tokenizer: Set = [
            "tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
            "added_tokens.json",
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
                .missingInput, "\(path): no such model folder; give a Hugging Face folder with config.json")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ModelError(
                .missingInput, "\(file): cannot be read; a model folder holds config.json and model.safetensors")
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
}
