import Foundation
import Testing

@testable import Tokenization

/// What transformers' BERT tokenizer gave; see `make_tokenizer_goldens.py`.
@Suite("BERT's tokenizer of transformers")
struct BertGoldenTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let tokenizer: String
            let text: String
            let pair: String?
            let maxLength: Int?
            let ids: [Int32]
            let typeIDs: [Int32]
        }
        struct Normalization: Decodable {
            let text: String
            let lowercases: Bool
            let stripsAccents: Bool
            let normalized: String
        }
        let settings: [String: String]
        let cases: [Case]
        let normalizations: [Normalization]
    }

    private static let golden = Result {
        try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: Fixture.folder.appendingPathComponent("bert-tokenizer-goldens.json")))
    }

    private func tokenizer(_ settings: String) throws -> Tokenizer {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: copy) }
        try Data(contentsOf: Fixture.folder.appendingPathComponent("bert-vocab.txt"))
            .write(to: copy.appendingPathComponent("vocab.txt"))
        try Data(settings.utf8).write(to: copy.appendingPathComponent("tokenizer_config.json"))
        return try Tokenizer(modelDirectory: copy.path)
    }

    @Test("vocab.txt with any settings, pairs and lengths give the ids and type ids of transformers")
    func cases() throws {
        let golden = try Self.golden.get()
        var tokenizers = try golden.settings.mapValues(tokenizer)
        let small = try Data(contentsOf: Fixture.folder.appendingPathComponent("bert-small-tokenizer.json"))
        tokenizers["small"] = try Tokenizer(SourceFile(path: "small-tokenizer.json", bytes: [UInt8](small)))
        #expect(golden.cases.count > 500)
        for example in golden.cases {
            let tokenizer = try #require(tokenizers[example.tokenizer])
            let truncation = example.maxLength.map {
                Truncation(maxLength: $0, truncatesStart: tokenizer.truncatesStart)
            }
            let encoded = try tokenizer.encode(example.text, pair: example.pair, truncation: truncation)
            #expect(
                encoded.ids == example.ids && encoded.typeIDs == example.typeIDs,
                "\(example.tokenizer): \(example.text.debugDescription) \(example.maxLength ?? -1)")
        }
    }

    @Test("texts are normalised as BertNormalizer normalises them")
    func normalizations() throws {
        for example in try Self.golden.get().normalizations {
            let options = BertNormalization(stripsAccents: example.stripsAccents, lowercases: example.lowercases)
            let found = options.normalized(AlignedText(Array(example.text.utf8), keepsOrigins: false))
            #expect(found.bytes == Array(example.normalized.utf8), "\(example.text.debugDescription)")
        }
    }
}
