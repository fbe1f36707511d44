import Foundation
import Safetensors

/// The tensors of a safetensors file, or of a model's folder.
struct WeightSource {
    private let files: [SafetensorsFile]
    /// Codes and ranges of quantised tensors, which are no weights, are not among them.
    let tensors: [TensorDescription]
    private let owners: [String: Int]

    init(path: String) throws {
        var isFolder: ObjCBool = false
        files =
            FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
            ? try TensorFolder(path: path).files : [try SafetensorsFile(path: path)]
        var tensors: [TensorDescription] = []
        var owners: [String: Int] = [:]
        for (index, file) in files.enumerated() {
            let parts = Set(try QuantizedTensor.all(of: file).flatMap { [$0.codesName, $0.rangesName] })
            for name in file.tensorNames where !parts.contains(name) {
                guard let tensor = file.tensor(named: name) else { continue }
                tensors.append(tensor)
                owners[name] = index
            }
        }
        self.tensors = tensors
        self.owners = owners
    }

    /// See ``SafetensorsFile/floats(of:elements:)``.
    func floats(of tensor: TensorDescription, elements: Range<Int>) throws -> [Float] {
        guard let owner = owners[tensor.name] else { return [] }
        return try files[owner].floats(of: tensor, elements: elements)
    }
}
