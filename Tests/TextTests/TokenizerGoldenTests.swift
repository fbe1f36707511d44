import Foundation
import Testing

@testable import Text

/// What Hugging Face's tokenizer made of many texts; see `make_tokenizer_goldens.py`.
private struct Goldens: Decodable {
    struct Case: Decodable {
        let tokenizer, text: String
        let pair: String?
        let maxLength: Int?
        let ids, typeIDs: [Int32]
    }

    struct Normalization: Decodable {
        let text, normalized: String
        let lowercases, stripsAccents: Bool
    }

    /// The `tokenizer_config.json` of each tokenizer.
    let settings: [String: String]
    let cases: [Case]
    let normalizations: [Normalization]

    static func load() throws -> Goldens {
        let data = try Data(contentsOf: fixtures.appendingPathComponent("tokenizer-goldens.json"))
        return try JSONDecoder().decode(Goldens.self, from: data)
    }
}

/// How a text differs from the golden one, to be read in a terminal.
private func mismatch(_ golden: Goldens.Case, _ tokens: TokenizedText) -> String? {
    guard tokens.ids != golden.ids || tokens.typeIDs != golden.typeIDs else { return nil }
    let text = golden.text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    return "\(golden.tokenizer) \(text) | \(golden.pair ?? "-") | \(golden.maxLength ?? 0): "
        + "\(tokens.ids) \(tokens.typeIDs), expected \(golden.ids) \(golden.typeIDs)"
}

@Suite struct TokenizerGoldenTests {
    @Test(
        "the real vocabulary gives Hugging Face's tokens for every golden text",
        arguments: ["uncased", "cased", "accented", "stripped", "left"])
    func realVocabulary(name: String) throws {
        let goldens = try Goldens.load()
        let settings = try #require(goldens.settings[name])
        let folder = try TemporaryFolder(["tokenizer_config.json": settings])
        try folder.copyFixture("vocab.txt", as: "vocab.txt")
        let tokenizer = try WordPieceTokenizer(modelDirectory: folder.path)
        let cases = goldens.cases.filter { $0.tokenizer == name }
        #expect(cases.count >= 90)
        let mismatches = cases.compactMap {
            mismatch($0, tokenizer.encode($0.text, pair: $0.pair, maxLength: $0.maxLength))
        }
        #expect(mismatches == [])
    }

    @Test("the normaliser gives the scalars of the tokenizers library, also those that no vocabulary has")
    func normalizations() throws {
        let goldens = try Goldens.load().normalizations
        #expect(goldens.count >= 300)
        for golden in goldens {
            let options = BertNormalizer.Options(stripsAccents: golden.stripsAccents, lowercases: golden.lowercases)
            let scalars = BertNormalizer(options).normalized(Array(golden.text.unicodeScalars)[...])
            #expect(scalars == Array(golden.normalized.unicodeScalars))
        }
    }

    @Test("a tokenizer.json with added tokens of every kind gives the tokens of the tokenizers library")
    func smallTokenizer() throws {
        let folder = try TemporaryFolder()
        try folder.copyFixture("small-tokenizer.json", as: "tokenizer.json")
        let tokenizer = try WordPieceTokenizer(modelDirectory: folder.path)
        let cases = try Goldens.load().cases.filter { $0.tokenizer == "small" }
        #expect(cases.count >= 35)
        let mismatches = cases.compactMap { mismatch($0, tokenizer.encode($0.text, pair: $0.pair)) }
        #expect(mismatches == [])
    }
}
