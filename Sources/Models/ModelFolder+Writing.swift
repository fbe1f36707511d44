import Foundation
public import Safetensors

extension ModelFolder {
    /// Writes a model into a new folder: `model.safetensors` and `config.json`.
    ///
    /// - Parameters:
    ///   - tensors: in any order.
    ///   - configuration: a JSON object.
    /// - Throws: `SafetensorsError`, and what encoding the configuration throws.
    public static func write(_ tensors: [TensorToWrite], configuration: [String: Any], to path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: "\(path)/model.safetensors")
        let text = try JSONSerialization.data(
            withJSONObject: configuration, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        try DurableFile.write(text + [UInt8(ascii: "\n")], to: "\(path)/config.json")
        try DurableFile.synchronizeFolder(path)
    }
}
