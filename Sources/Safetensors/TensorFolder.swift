import Diagnostics
import Foundation

/// The tensors of a model folder under one name space: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public final class TensorFolder: Sendable {
    public let path: String
    /// The files, in the order of their names.
    public let files: [SafetensorsFile]
    private let owner: [String: Int]

    public init(path: String) throws(SafetensorsError) {
        self.path = path
        let names = try Self.fileNames(path)
        var files: [SafetensorsFile] = []
        var owner: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            let file = try SafetensorsFile(path: path + "/" + name)
            for tensor in file.tensorNames {
                if let other = owner.updateValue(index, forKey: tensor) {
                    throw SafetensorsError(
                        .badData, "\(path): tensor '\(tensor)' stands in '\(names[other])' and in '\(name)'")
                }
            }
            files.append(file)
        }
        self.files = files
        self.owner = owner
    }

    private static func fileNames(_ path: String) throws(SafetensorsError) -> [String] {
        let manager = FileManager.default
        if manager.fileExists(atPath: path + "/model.safetensors") { return ["model.safetensors"] }
        let index = path + "/model.safetensors.index.json"
        guard let data = manager.contents(atPath: index) else {
            let pickled = manager.fileExists(atPath: path + "/pytorch_model.bin")
            throw SafetensorsError(
                .missingInput,
                "\(path): no model.safetensors"
                    + (pickled
                        ? "; the folder has pytorch_model.bin, save the model again with safe_serialization=True"
                        : "; a model folder holds config.json and model.safetensors"))
        }
        struct Index: Decodable { let weightMap: [String: String] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard data.count <= 1 << 26, UnsortableText.offset(in: data) == nil,
            let map = try? decoder.decode(Index.self, from: data).weightMap
        else {
            throw SafetensorsError(.badData, "\(index): expected a JSON object with 'weight_map' from tensors to files")
        }
        let names = Set(map.values).sorted()
        // Bytes, not characters: a slash with a combining mark is another character to Swift, but a slash to the system.
        for name in names
        where name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(0) || !name.hasSuffix(".safetensors") {
            throw SafetensorsError(
                .badData, "\(index): names the file '\(name)', expected a .safetensors file of the same folder")
        }
        guard !names.isEmpty else { throw SafetensorsError(.badData, "\(index): names no files") }
        return names
    }

    public var tensorNames: [String] { files.flatMap(\.tensorNames) }

    /// The tensor of a name, if the folder has it.
    public func tensor(named name: String) -> TensorDescription? {
        owner[name].flatMap { files[$0].tensor(named: name) }
    }

    /// See ``SafetensorsFile/mappedFloats(of:shape:)``.
    public func mappedFloats(of name: String, shape: [Int]) throws(SafetensorsError) -> UnsafeBufferPointer<Float>? {
        try file(of: name).mappedFloats(of: name, shape: shape)
    }

    /// See ``SafetensorsFile/floats(of:shape:)``.
    public func floats(of name: String, shape: [Int]) throws(SafetensorsError) -> [Float] {
        try file(of: name).floats(of: name, shape: shape)
    }

    /// See ``SafetensorsFile/doubles(of:shape:)``.
    public func doubles(of name: String, shape: [Int]) throws(SafetensorsError) -> [Double] {
        try file(of: name).doubles(of: name, shape: shape)
    }

    /// A tensor's bytes, valid as long as this object lives; nil if the folder has no such tensor.
    public func bytes(of name: String) -> UnsafeRawBufferPointer? {
        owner[name].flatMap { index in files[index].tensor(named: name).map { files[index].bytes(of: $0) } }
    }

    private func file(of name: String) -> SafetensorsFile { files[owner[name] ?? 0] }
}
