import Diagnostics
import Foundation

/// The bytes of a whole file, known to be UTF-8.
struct FileContents {
    let path: String
    let bytes: [UInt8]

    /// Reads the file at `path`.
    ///
    /// - Throws: `missingInput` if there is none, `inputOutput` if reading fails, `badData` if it is larger than
    ///   `limit` bytes or is not UTF-8; the message names the first line that is not.
    init(path: String, limit: Int = .max) throws(TextError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TextError(.missingInput, "\(path): no such file")
        }
        guard !isFolder.boolValue else {
            throw TextError(.missingInput, "\(path): a folder, expected a file")
        }
        // A pipe would be waited for without end, and can be read only once.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let type = (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
        guard type == nil || type == .typeRegular else {
            throw TextError(.badData, "\(path): a pipe or a device, expected a regular file; save its contents to one")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw TextError(.inputOutput, "\(path): cannot be read: \(plainReason(error))")
        }
        guard data.count <= limit else {
            throw TextError(.badData, "\(path): \(data.count) bytes, expected at most \(limit)")
        }
        if let complaint = GitLFSPointer.complaint(about: data) {
            throw TextError(.badData, "\(path): \(complaint)")
        }
        try self.init(path: path, bytes: [UInt8](data))
    }

    /// The same, but with text that will be compared: names, not reviews.
    func checkedForNames() throws(TextError) -> FileContents {
        if let offset = UnsortableText.offset(in: bytes) {
            throw TextError(.badData, "\(path): \(UnsortableText.complaint(offset: offset))")
        }
        return self
    }

    /// Takes bytes that were read already; `path` names them in messages.
    init(path: String, bytes: [UInt8]) throws(TextError) {
        self.path = path
        self.bytes = bytes
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        var line = 0
        for content in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            guard String(validating: content, as: UTF8.self) != nil else { break }
        }
        throw .badData(path, line: line, "the bytes are not UTF-8; save the file with UTF-8 encoding")
    }

    /// Where the content starts: after a byte order mark, if there is one.
    var start: Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

    /// Whether a line has nothing but spaces. A tab is none, as it separates cells.
    func isBlank(_ line: Range<Int>) -> Bool {
        bytes[line].allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
    }

    /// The text of a range of bytes.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
