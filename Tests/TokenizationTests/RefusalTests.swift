import Diagnostics
import Foundation
import Testing

@testable import Tokenization

@Suite("Refusals")
struct RefusalTests {
    private static let words = ###""model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}"###

    @Test(
        "a tokenizer that cannot be used is refused in one line that says what, where and what is expected",
        arguments: [
            ("", "tokenizer.json:1: not JSON: it ends where a JSON value is expected"),
            ("[]", "tokenizer.json: an array, expected a JSON object"),
            ("{}", #"tokenizer.json: "model" is missing, expected in a tokenizer"#),
            (
                ###"{"model":{"type":"CharBPE"}}"###,
                #"tokenizer.json: "model": "CharBPE" is not known as a model here; this tokenizer cannot be used"#
            ),
            (
                ###"{"model":{"type":"WordPiece","vocab":{"a":-1}}}"###,
                #"tokenizer.json: "model": the number of "a" is -1, expected one from 0 to 2147483647"#
            ),
            (
                ###"{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}"###,
                #"tokenizer.json: "model.merges": entry 0 merges "a" and "b", but the vocabulary lacks one of them or what they become"#
            ),
            (
                ###"{"model":{"type":"BPE","vocab":{},"merges":[["a"]]}}"###,
                #"tokenizer.json: "model.merges": entry 0 is an array, expected two tokens"#
            ),
            (
                ###"{"model":{"type":"BPE","dropout":0.1,"vocab":{},"merges":[]}}"###,
                #"tokenizer.json: "model.dropout": 0.1: merges that are left out at random are not known here; set it to null"#
            ),
            (
                ###"{"model":{"type":"Unigram","unk_id":2,"vocab":[["a",0]]}}"###,
                #"tokenizer.json: "model": "unk_id" is 2, expected a number below 1"#
            ),
            (
                ###"{"model":{"type":"Unigram","vocab":[["a",1e999]]}}"###,
                #"tokenizer.json: "model.vocab[0]": an array, expected a piece and its score"#
            ),
            (
                ###"{"normalizer":{"type":"Nmt"},\###(words)}"###,
                #"tokenizer.json: "normalizer": "Nmt" is not known as a normalizer here; this tokenizer cannot be used"#
            ),
            (
                ###"{"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"},\###(words)}"###,
                "tokenizer.json: the compiled character map is damaged; expected a length, a double array and UTF-8"
            ),
            (
                ###"{"normalizer":{"type":"Replace","pattern":{"Regex":"(a)"},"content":"$1"},\###(words)}"###,
                #"tokenizer.json: "normalizer": a replacement that refers to groups of a regular expression is not known here"#
            ),
            (
                ###"{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"a+?"},"behavior":"Isolated"},\###(words)}"###,
                #"tokenizer.json: "pre_tokenizer.pattern": the regular expression "a+?" cannot be used: a quantifier that is not greedy at its character 2 is not known here"#
            ),
            (
                ###"{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"a*"},"behavior":"Isolated"},\###(words)}"###,
                #"tokenizer.json: "pre_tokenizer.pattern": the regular expression "a*" cannot be used: it matches where nothing stands"#
            ),
            (
                ###"{"pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Gone"},\###(words)}"###,
                #"tokenizer.json: "pre_tokenizer": "behavior" is "Gone", expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous"#
            ),
            (
                ###"{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}],"pair":[],"special_tokens":{}},\###(words)}"###,
                #"tokenizer.json: "post_processor.single[0].SpecialToken": the special token "x" is not in "special_tokens""#
            ),
            (
                ###"{"truncation":{"max_length":8,"direction":"Up"},\###(words)}"###,
                #"tokenizer.json: "truncation": "direction" is "Up", expected Right or Left"#
            ),
            (
                ###"{"decoder":{"type":"CTC"},\###(words)}"###,
                #"tokenizer.json: "decoder": "CTC" is not known as a decoder here; this tokenizer cannot be used"#
            ),
        ])
    func tokenizerFile(_ json: String, _ message: String) {
        let file = SourceFile(path: "tokenizer.json", bytes: Array(json.utf8))
        #expect(throws: TokenizationError(.badData, message)) { try Tokenizer(file) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func notUTF8() {
        let file = SourceFile(path: "tokenizer.json", bytes: [0x7B, 0xFF, 0x7D])
        #expect(
            throws: TokenizationError(
                .badData, "tokenizer.json:1: the bytes are not UTF-8, expected text in UTF-8; the file is damaged")
        ) { try Tokenizer(file) }
    }

    @Test("a folder without a tokenizer, and none at all, are missing input")
    func missing() {
        for folder in ["/no/such/folder", Fixture.folder.deletingLastPathComponent().path] {
            let error = #expect(throws: TokenizationError.self) { _ = try Tokenizer(modelDirectory: folder) }
            #expect(error?.kind == .missingInput)
        }
    }

    @Test("a character that nothing stands for is refused when it comes")
    func unknownCharacter() throws {
        let json = ###"{"model":{"type":"Unigram","unk_id":null,"vocab":[["a",0]]}}"###
        let tokenizer = try Tokenizer(SourceFile(path: "tokenizer.json", bytes: Array(json.utf8)))
        #expect(try tokenizer.encode("aa").ids == [0, 0])
        let error = #expect(throws: TokenizationError.self) { _ = try tokenizer.encode("ab") }
        #expect(error?.kind == .badData && error?.description.hasPrefix("\"b\" is not in the vocabulary") == true)
    }

    @Test(
        "a damaged SentencePiece model is refused",
        arguments: [
            ([], "the unknown piece is number 0 of 0 pieces"),
            ([0x0A, 0x05, 0x0A], "a field that ends behind the end"),
            ([0x0F], "a field of an unknown kind"),
            ([0x0A, 0x03, 0x0A, 0x01, 0xFF], "a piece is not UTF-8"),
            ([0x0A, 0x05, 0x15, 0x00, 0x00, 0xC0, 0x7F], "a piece's score is not finite"),
            ([0x12, 0x02, 0x18, 0x04], "the model is neither Unigram nor BPE"),
            ([0x08] + Array(repeating: 0xFF, count: 10) + [0x01], "a number of more than 64 bits"),
        ] as [([UInt8], String)])
    func damagedModel(_ bytes: [UInt8], _ message: String) {
        let error = #expect(throws: TokenizationError.self) {
            _ = try SentencePieceModel(SourceFile(path: "spm.model", bytes: bytes))
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("a pattern that would take for ever ends")
    func endlessPattern() throws {
        let pattern = try Pattern(regularExpression: "(?:(?:a+)+)+b")
        var parts = 0
        pattern.forEachPart(in: Array(repeating: UInt8(ascii: "a"), count: 5_000), 0..<5_000) { _ in parts += 1 }
        #expect(parts == 1)
    }
}
