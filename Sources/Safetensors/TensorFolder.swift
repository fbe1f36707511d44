import Diagnostics
import Foundation

/// The tensors of a model folder under one name space: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public final class TensorFolder: Sendable {
    public let path: String
    /// The files, in the order of their names.
    public let files: [SafetensorsFile]
    private let owner: [String: Int]
    /// Names that stand for a stored tensor: of tied tensors, `safetensors.torch.save_model` stores one, and names the
    /// others in the metadata, each with the one that it is tied to.
    public let tiedNames: [String: String]

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
        tiedNames = files.reduce(into: [:]) { tied, file in
            for (name, stored) in file.metadata where owner[name] == nil && owner[stored] != nil { tied[name] = stored }
        }
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
        if let complaint = GitLFSPointer.complaint(about: data) {
            throw SafetensorsError(.badData, "\(index): \(complaint)")
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

    /// Of the tensors that are stored, as transformers calls them today.
    public var tensorNames: [String] { files.flatMap(tensorNames(in:)) }

    /// Of the tensors that one of the files stores, as transformers calls them today, in the order of their bytes.
    public func tensorNames(in file: SafetensorsFile) -> [String] {
        file.tensorNames.map { stored in
            let name = LayerNormNames.current(stored)
            return owner[name] == nil ? name : stored
        }
    }

    /// The name under which a tensor is stored: its own, that of the one that it is tied to, or the one of old.
    public func storedName(of name: String) -> String {
        if owner[name] != nil { return name }
        let old = LayerNormNames.old(name)
        return tiedNames[name] ?? (owner[old] == nil ? name : old)
    }

    /// The tensor of a name, if the folder has it; the description has the name under which it is stored.
    public func tensor(named name: String) -> TensorDescription? {
        let name = storedName(of: name)
        return owner[name].flatMap { files[$0].tensor(named: name) }
    }

    /// See ``SafetensorsFile/mappedFloats(of:shape:)``.
    public func mappedFloats(of name: String, shape: [Int]) throws(SafetensorsError) -> UnsafeBufferPointer<Float>? {
        try file(of: name).mappedFloats(of: storedName(of: name), shape: shape)
    }

    /// See ``SafetensorsFile/floats(of:shape:)``.
    public func floats(of name: String, shape: [Int]) throws(SafetensorsError) -> [Float] {
        try file(of: name).floats(of: storedName(of: name), shape: shape)
    }

    /// See ``SafetensorsFile/doubles(of:shape:)``.
    public func doubles(of name: String, shape: [Int]) throws(SafetensorsError) -> [Double] {
        try file(of: name).doubles(of: storedName(of: name), shape: shape)
    }

    /// A tensor's bytes, valid as long as this object lives; nil if the folder has no such tensor.
    public func bytes(of name: String) -> UnsafeRawBufferPointer? {
        let name = storedName(of: name)
        return owner[name].flatMap { index in files[index].tensor(named: name).map { files[index].bytes(of: $0) } }
    }

    private func file(of name: String) -> SafetensorsFile { files[owner[storedName(of: name)] ?? 0] }
}

/// What the tensors of layer norms were called in TensorFlow, and still are in files that were made from its checkpoints,
/// bert-base-uncased's own among them: transformers reads them as weight and bias.
private enum LayerNormNames {
    private static let pairs = [
        (old: "LayerNorm.gamma", current: "LayerNorm.weight"), (old: "LayerNorm.beta", current: "LayerNorm.bias"),
    ]

    static func current(_ name: String) -> String {
        guard let pair = pairs.first(where: { name.hasSuffix($0.old) }) else { return name }
        return name.dropLast(pair.old.count) + pair.current
    }

    static func old(_ name: String) -> String {
        guard let pair = pairs.first(where: { name.hasSuffix($0.current) }) else { return name }
        return name.dropLast(pair.current.count) + pair.old
    }
}
