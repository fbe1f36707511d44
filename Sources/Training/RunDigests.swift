import Foundation
import Safetensors

/// What a run is made of besides its configuration; a checkpoint of other contents must not be resumed.
public struct RunDigests: Codable, Sendable, Equatable {
    /// SHA-256 of the digests of the model's files, of the training file, and of the digests of `adapter.init`'s files.
    public let model: String
    public let data: String
    public let initialAdapter: String
    /// SHA-256 of each file, by its path on this machine.
    let files: [String: String]

    /// Of a run that reads no files.
    static let none = RunDigests(model: "", data: "", initialAdapter: "", files: [:])

    private init(model: String, data: String, initialAdapter: String, files: [String: String]) {
        self.model = model
        self.data = data
        self.initialAdapter = initialAdapter
        self.files = files
    }

    /// What the training data lies in.
    enum Data {
        case file(String)
        case files([String])

        var paths: [String] {
            switch self {
            case .file(let path): [path]
            case .files(let paths): paths
            }
        }
    }

    /// - Throws: `SafetensorsError` if a file cannot be read.
    init(model: [String], data: Data, initialAdapter: [String]) throws {
        var files: [String: String] = [:]
        for path in model + data.paths + initialAdapter where files[path] == nil {
            files[path] = try FileDigest.hexadecimal(ofFile: path)
        }
        func digest(of paths: [String]) -> String { Self.digest(of: paths) { files[$0] ?? "" } }
        let dataDigest =
            switch data {
            case .file(let path): files[path] ?? ""
            case .files(let paths): digest(of: paths)
            }
        self.init(
            model: digest(of: model), data: dataDigest, initialAdapter: digest(of: initialAdapter), files: files)
    }

    /// One digest of several files and their names.
    static func digest(of paths: [String]) throws -> String {
        var files: [String: String] = [:]
        for path in paths { files[path] = try FileDigest.hexadecimal(ofFile: path) }
        return digest(of: paths) { files[$0] ?? "" }
    }

    private static func digest(of paths: [String], file: (String) -> String) -> String {
        let lines = paths.map { "\(($0 as NSString).lastPathComponent) \(file($0))\n" }
        return FileDigest.hexadecimal(of: Foundation.Data(lines.joined().utf8))
    }
}
