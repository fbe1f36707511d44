import Diagnostics
import Foundation

/// The bytes of a whole file of a tokenizer's folder.
struct SourceFile {
    let path: String
    let bytes: [UInt8]

    /// A tokenizer's file that is larger is no tokenizer's file.
    static let sizeLimit = 256 << 20

    /// Reads the file at `path`; nil if there is none.
    ///
    /// - Throws: `inputOutput` if reading fails, `badData` if it is no file or larger than 256 MiB.
    init?(ifPresent path: String) throws(TokenizationError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        guard !isFolder.boolValue else {
            throw TokenizationError(.missingInput, "\(path): a folder, expected a file")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw TokenizationError(.inputOutput, "\(path): cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= Self.sizeLimit else {
            throw TokenizationError(.badData, "\(path): \(data.count) bytes, expected at most \(Self.sizeLimit)")
        }
        if let complaint = GitLFSPointer.complaint(about: data) {
            throw TokenizationError(.badData, "\(path): \(complaint)")
        }
        self.init(path: path, bytes: [UInt8](data))
    }

    /// Takes bytes that were read already; `path` names them in messages.
    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Refuses bytes that are not UTF-8.
    func checkedAsText() throws(TokenizationError) -> SourceFile {
        guard String(validating: bytes, as: UTF8.self) == nil else { return self }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw TokenizationError(
            .badData, "\(path):\(line + 1): the bytes are not UTF-8, expected text in UTF-8; the file is damaged")
    }

    /// The lines of the file, without the ends of line.
    var lines: [ArraySlice<UInt8>] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    }
}
