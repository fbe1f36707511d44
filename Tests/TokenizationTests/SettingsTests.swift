import Diagnostics
import Foundation
import Testing

@testable import Tokenization

@Suite("Settings beside tokenizer.json")
struct SettingsTests {
    /// Reads the small GPT-2 with a `tokenizer_config.json` beside it.
    private func tokenizer(_ settings: String) throws -> Tokenizer {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(try Fixture.bytes("gpt2.json")).write(to: folder.appendingPathComponent("tokenizer.json"))
        try Data(settings.utf8).write(to: folder.appendingPathComponent("tokenizer_config.json"))
        return try Tokenizer(modelDirectory: folder.path)
    }

    @Test("tokens that the settings add, or change, are found as in transformers 5.23")
    func addedTokens() throws {
        let tokenizer = try tokenizer(
            #"""
            {"tokenizer_class":"PreTrainedTokenizerFast","pad_token":"<newpad>","eos_token":"<|endoftext|>",
             "mask_token":{"content":"<m>","lstrip":true,"rstrip":false,"normalized":false,"single_word":false},
             "added_tokens_decoder":{
              "700":{"content":"<ent>","lstrip":false,"rstrip":true,"single_word":false,"normalized":false,"special":false},
              "702":{"content":"<extra>","lstrip":false,"rstrip":false,"single_word":false,"normalized":false,"special":true}}}
            """#)
        let first = try tokenizer.encode("a<ent> b", keepsOffsets: true)
        #expect(first.ids == [65, 700, 66] && first.offsets == [0..<1, 1..<7, 7..<8])
        let second = try tokenizer.encode("x<ent>y  <m>z<newpad><extra><|endoftext|>", keepsOffsets: true)
        #expect(second.ids == [88, 700, 89, 704, 90, 703, 702, 0])
        #expect(second.offsets == [0..<1, 1..<6, 6..<7, 7..<12, 12..<13, 13..<21, 21..<28, 28..<41])
        #expect(tokenizer.decode(second.ids) == "x<ent>yz")
        #expect(
            tokenizer.vocabularySize == 705 && tokenizer.id(of: "<newpad>") == 703 && tokenizer.token(702) == "<extra>")
    }

    @Test("a token takes the number that the settings give it, also past a gap")
    func numberPastGap() throws {
        let tokenizer = try tokenizer(#"{"added_tokens_decoder":{"9000":{"content":"<far>"}}}"#)
        #expect(tokenizer.id(of: "<far>") == 9_000 && tokenizer.token(9_000) == "<far>")
        #expect(try tokenizer.encode("a<far>").ids == [65, 9_000])
    }

    @Test("the side of truncation is the settings'")
    func truncationSide() throws {
        #expect(try tokenizer(#"{"truncation_side":"left"}"#).truncatesStart)
        #expect(try !tokenizer("{}").truncatesStart)
        let error = #expect(throws: TokenizationError.self) { _ = try tokenizer(#"{"truncation_side":"up"}"#) }
        #expect(error?.kind == .badData)
    }
}
