import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors

extension TrainingJob {
    /// Copies a model's folder into the job's with other names of tensors.
    ///
    /// - Parameters:
    ///   - rename: the new name; nil leaves the tensor out.
    ///   - more: further tensors.
    /// - Returns: the new folder.
    @discardableResult
    func copyModel(
        _ source: String, to name: String, more: [TensorToWrite] = [], _ rename: (String) -> String?
    ) throws -> String {
        let target = "\(path)/\(name)"
        try FileManager.default.copyItem(atPath: source, toPath: target)
        let file = try SafetensorsFile(path: source + "/model.safetensors")
        let tensors = file.tensorNames.compactMap { old -> TensorToWrite? in
            guard let name = rename(old), let tensor = file.tensor(named: old) else { return nil }
            return TensorToWrite(
                name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: file.bytes(of: tensor))
        }
        try withExtendedLifetime(file) {
            try SafetensorsWriter.write(tensors + more, metadata: ["format": "pt"], to: target + "/model.safetensors")
        }
        return target
    }

    /// Replaces a part of a text file.
    func edit(_ file: String, _ change: (String) -> String) throws {
        try Data(change(try String(contentsOfFile: file, encoding: .utf8)).utf8).write(to: URL(fileURLWithPath: file))
    }

    /// The bytes of an adapter's weights.
    func weights(ofAdapter output: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(output)/adapter/adapter_model.safetensors"))
    }
}

/// What `predict` prints for texts.
func predictions(_ arguments: String..., texts: [String]) async throws -> [[Double]] {
    struct Line: Decodable { let logits: [Double] }
    let result = try await rankwise(["predict"] + arguments, input: texts.map { $0 + "\n" }.joined())
    return try result.standardOutput.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8)).logits
    }
}
