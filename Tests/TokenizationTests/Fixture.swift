import Foundation

@testable import Tokenization

/// The files that Tests/goldens/make_pipeline_goldens.py and make_stage_goldens.py wrote.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func decoded<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static let texts = Result { try decoded([String].self, "texts.json") }

    /// A tokenizer.json of the fixtures, with the character map in its place.
    static func tokenizer(_ name: String) throws -> Tokenizer {
        let path = name + ".json"
        let json = String(decoding: try bytes(path), as: UTF8.self)
        let whole = json.contains("\"nmt_nfkc\"") ? try withCharacterMap(json) : json
        return try Tokenizer(SourceFile(path: path, bytes: Array(whole.utf8)))
    }

    static func withCharacterMap(_ json: String) throws -> String {
        let model = try SentencePieceModel(SourceFile(path: "spm.model", bytes: try bytes("spm.model")))
        return json.replacingOccurrences(
            of: "\"nmt_nfkc\"", with: "\"\(Data(model.characterMap).base64EncodedString())\"")
    }

    /// A folder of the fixtures, copied to where files can be added, with the shared model in it if it needs that.
    static func withFolder<Value>(_ name: String, _ body: (String) throws -> Value) throws -> Value {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: folder.appendingPathComponent(name), to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        if name == "xlm-r-folder" {
            try Data(try bytes("spm.model")).write(to: copy.appendingPathComponent("sentencepiece.bpe.model"))
        }
        return try body(copy.path)
    }

    /// A stage as a reader sees it, from JSON text.
    static func reader(_ json: String) throws -> JSONReader {
        JSONReader(try SourceFile(path: "stage.json", bytes: Array(json.utf8)).jsonObject(), path: "stage.json")
    }
}

/// What the tokenizers library makes of the texts with one tokenizer.
struct PipelineGolden: Decodable {
    struct Case: Decodable, Equatable {
        let ids: [Int32]
        let offsets: [[Int]]
        let decoded: String
    }

    /// Eight hexadecimal digits for each text.
    let digests: String
    let whole: [Case]
}

/// FNV-1a, its upper 32 bits, as the golden script has it.
func digest(_ text: String) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(value >> 32, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}

extension Tokenizer {
    /// What the golden script digests: everything about a text.
    func digested(_ text: String) throws -> String {
        let encoded = try encode(text, keepsOffsets: true)
        let pair = try encode(text, pair: "second text")
        func numbers(_ values: some Sequence<some BinaryInteger>) -> String {
            values.map(\.description).joined(separator: ",")
        }
        let offsets = encoded.offsets.flatMap { [$0.lowerBound, $0.upperBound] }
        let parts = [
            numbers(encoded.ids), numbers(offsets), numbers(encoded.typeIDs), numbers(encoded.words), numbers(pair.ids),
            numbers(pair.typeIDs), decode(encoded.ids, skipsSpecialTokens: false),
        ]
        return digest(parts.joined(separator: "|"))
    }
}
