import Diagnostics
import Foundation
public import Images
public import Models
import Safetensors

/// A folder with an image network: `config.json`, `model.safetensors`, and `preprocessor_config.json`, which says how pixels
/// become what the network reads.
public struct ImageModelFolder {
    public let path: String
    public let configuration: HCFormerConfiguration
    public let labels: [String]
    public let transform: ImageTransform

    /// The files that decide what the model computes from an image, for digests.
    public static func digestedFiles(path: String) -> [String] {
        ["config.json", "model.safetensors", "preprocessor_config.json"].map { path + "/" + $0 }
            .filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether the folder's configuration says that it holds an image network.
    public static func isOne(_ path: String) -> Bool {
        ((try? ModelFolder.readConfiguration(path: path))?["model_type"] as? String) == "hcformer"
    }

    /// - Throws: `ModelError`, ``TrainingError``.
    public init(path: String) throws {
        let json = try ModelFolder.readConfiguration(path: path)
        guard json["model_type"] as? String == "hcformer" else {
            throw TrainingError(
                .badData,
                "\(path)/config.json: model_type is '\(json["model_type"] as? String ?? "missing")', expected 'hcformer'"
            )
        }
        configuration = try HCFormerConfiguration(json: json, path: "\(path)/config.json")
        let names = json["id2label"] as? [String: String] ?? [:]
        labels = (0..<configuration.classCount).map { names[String($0)] ?? String($0) }
        transform = try Self.transform(path: path, side: configuration.imageSide)
        self.path = path
    }

    /// What `preprocessor_config.json` says; pixels up to 255 as they are, if there is none.
    static func transform(path: String, side: Int) throws -> ImageTransform {
        let file = "\(path)/preprocessor_config.json"
        guard FileManager.default.fileExists(atPath: file) else { return ImageTransform(side: side) }
        guard let data = FileManager.default.contents(atPath: file), data.count <= 1 << 20,
            let transform = try? JSONDecoder().decode(ImageTransform.self, from: data),
            (1...HCFormerConfiguration.largestImage).contains(transform.side), transform.scale > 0,
            transform.deviation > 0, transform.mean.isFinite, (0...transform.side).contains(transform.margin)
        else {
            throw TrainingError(
                .badData,
                "\(file): expected a JSON object with size, scale, image_mean, image_std, crop and flip as rankwise writes it"
            )
        }
        return transform
    }

    /// Checks that the weights have every tensor that the configuration claims, in its shape, so that memory is taken for
    /// none that is not there.
    public func checkTensors(exceptHead: Bool = false) throws {
        let tensors = try TensorFolder(path: path)
        for expected in configuration.tensors where !(exceptHead && expected.name.hasPrefix("head.")) {
            guard let found = tensors.tensor(named: expected.name), found.shape == expected.shape else {
                throw TrainingError(
                    .badData,
                    "\(path)/model.safetensors: '\(expected.name)' "
                        + (tensors.tensor(named: expected.name).map { "has shape \($0.shape)" } ?? "is missing")
                        + ", expected \(expected.shape) as config.json says; the files belong to different models")
            }
        }
    }

    /// Reads all tensors into a network that is trained in full.
    ///
    /// - Parameter exceptHead: leaves the classifier as it is, which may have other classes.
    public func load(into model: ImageModel, exceptHead: Bool = false) throws {
        let tensors = try TensorFolder(path: path)
        for tensor in model.configuration.tensors where !(exceptHead && tensor.name.hasPrefix("head.")) {
            let values = try tensors.floats(of: tensor.name, shape: tensor.shape)
            guard let elements = model.elements(of: tensor.name) else { continue }
            for (index, value) in values.enumerated() { elements[index] = value }
        }
    }

    /// Writes a network that was trained in full into a new folder.
    static func write(_ model: ImageModel, labels: [String], transform: ImageTransform, to path: String) throws {
        let tensors = model.configuration.tensors.map { tensor in
            TensorToWrite(
                name: tensor.name, elementType: .float32, shape: tensor.shape,
                bytes: UnsafeRawBufferPointer(model.elements(of: tensor.name) ?? .init(start: nil, count: 0)))
        }
        var json = model.configuration.json
        json["id2label"] = Dictionary(labels.enumerated().map { (String($0.offset), $0.element) }) { first, _ in first }
        json["label2id"] = Dictionary(labels.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        json["torch_dtype"] = "float32"
        try ModelFolder.write(tensors, configuration: json, to: path)
        try write(transform, to: path)
        try DurableFile.synchronizeFolder(path)
    }

    /// Writes `preprocessor_config.json`.
    static func write(_ transform: ImageTransform, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try DurableFile.write(
            try encoder.encode(transform) + [UInt8(ascii: "\n")], to: "\(path)/preprocessor_config.json")
    }
}
