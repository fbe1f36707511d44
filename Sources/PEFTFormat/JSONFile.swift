import Diagnostics
import Foundation
import JSONText
import Safetensors

/// JSON objects of unknown origin.
enum JSONFile {
    /// No JSON file of an adapter or a model is longer.
    static let longest = 64 << 20

    /// A file's bytes.
    static func contents(_ path: String) throws(PEFTFormatError) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PEFTFormatError(.missingInput, "\(path): cannot be read; check that it exists and its permissions")
        }
        guard data.count <= longest else {
            throw PEFTFormatError(.badData, "\(path): \(data.count) bytes, expected at most \(longest)")
        }
        if let complaint = GitLFSPointer.complaint(about: data) {
            throw PEFTFormatError(.badData, "\(path): \(complaint)")
        }
        if let offset = UnsortableText.offset(in: data) {
            throw PEFTFormatError(.badData, "\(path): \(UnsortableText.complaint(offset: offset))")
        }
        return data
    }

    /// A file that holds one object.
    static func object(_ path: String) throws(PEFTFormatError) -> [String: Any] {
        guard let object = try? JSONSerialization.jsonObject(with: try contents(path)) as? [String: Any] else {
            _ = try contents(path)
            throw PEFTFormatError(.badData, "\(path): not a JSON object; the file is damaged")
        }
        return object
    }

    /// The members of a file that holds one object, with the order of what is in them; of a key that stands twice, the last.
    static func values(_ path: String) throws(PEFTFormatError) -> [String: JSONValue] {
        let bytes = [UInt8](try contents(path))
        guard String(validating: bytes, as: UTF8.self) != nil,
            let members = (try? JSONParser.parse(bytes, in: bytes.indices))?.members
        else { throw PEFTFormatError(.badData, "\(path): not a JSON object; the file is damaged") }
        return Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
    }

    static func write(_ object: [String: Any], to path: String) throws {
        let data = try JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        try DurableFile.write(data + [UInt8(ascii: "\n")], to: path)
    }
}
