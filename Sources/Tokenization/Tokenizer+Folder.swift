import Diagnostics
import Foundation

extension Tokenizer {
    /// Reads the tokenizer of a model's folder from its `tokenizer.json`.
    ///
    /// - Throws: `missingInput` if the folder has none, `badData` if it cannot be used.
    public init(modelDirectory: String) throws(TokenizationError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: modelDirectory, isDirectory: &isFolder), isFolder.boolValue else {
            throw TokenizationError(.missingInput, "\(modelDirectory): no such folder, expected a model folder")
        }
        let folder = URL(fileURLWithPath: modelDirectory, isDirectory: true)
        func file(_ name: String) throws(TokenizationError) -> SourceFile? {
            try SourceFile(ifPresent: folder.appendingPathComponent(name).path)
        }
        guard let json = try file("tokenizer.json") else {
            throw TokenizationError(
                .missingInput, "\(modelDirectory): no tokenizer.json, expected one for the tokenizer")
        }
        try self.init(json)
    }
}
