import Diagnostics
import Foundation
import Testing

@testable import Tokenization

/// What Hugging Face's tokenizer made of texts with other files beside a vocabulary; see `make_added_token_goldens.py`.
private struct Goldens: Decodable {
    struct Case: Decodable, CustomTestStringConvertible, Sendable {
        let name: String
        /// The files' contents by their names.
        let files: [String: String]
        /// Of each text.
        let ids: [[Int32]]
        var testDescription: String { name }
    }

    let vocabulary: [String]
    let texts: [String]
    let cases: [Case]

    static func load() throws -> Goldens {
        let data = try Data(contentsOf: fixtures.appendingPathComponent("bert-added-token-goldens.json"))
        return try JSONDecoder().decode(Goldens.self, from: data)
    }
}

@Suite("Keys of the files beside a vocabulary") struct AddedTokenGoldenTests {
    @Test("give Hugging Face's tokens")
    func goldens() throws {
        let goldens = try Goldens.load()
        #expect(goldens.cases.count >= 60)
        let vocabulary = goldens.vocabulary.map { $0 + "\n" }.joined()
        for golden in goldens.cases {
            let folder = try TemporaryFolder(golden.files.merging(["vocab.txt": vocabulary]) { file, _ in file })
            let tokenizer = try Tokenizer(modelDirectory: folder.path)
            for (text, ids) in zip(goldens.texts, golden.ids) {
                #expect(try tokenizer.encode(text).ids == ids, "\(golden.name): \(text)")
            }
        }
    }

    private func refusal(_ files: [String: String]) throws -> String? {
        let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n"
        let folder = try TemporaryFolder(files.merging(["vocab.txt": vocabulary]) { file, _ in file })
        do throws(TokenizationError) {
            _ = try Tokenizer(modelDirectory: folder.path)
            return nil
        } catch {
            #expect(error.kind == .badData)
            return error.description
        }
    }

    @Test(
        "files that give a token two numbers, or a number two tokens, are refused with both",
        arguments: [
            ("added_tokens.json", #"{"a": 7}"#, "\"a\" has the number 7 in another file, here 5"),
            ("added_tokens.json", #"{"c": 5}"#, "\"c\" has the number 5 in another file, which is another token's"),
            (
                "tokenizer_config.json", #"{"added_tokens_decoder": {"7": {"content": "b"}}}"#,
                "\"b\" has the number 7 in another file, here 6"
            ),
            ("added_tokens.json", #"{"c": -1}"#, "\"c\" has no number"),
            ("added_tokens.json", #"{"c": "7"}"#, "\"c\" has no number"),
            ("tokenizer_config.json", #"{"added_tokens_decoder": [1]}"#, "added_tokens_decoder"),
            ("tokenizer_config.json", #"{"extra_special_tokens": [1]}"#, "extra_special_tokens"),
        ])
    func contradictions(name: String, content: String, message: String) throws {
        let found = try #require(try refusal([name: content]))
        #expect(found.contains(message), "\(found)")
    }

    @Test("an added token takes the number of its file, also past a gap")
    func gap() throws {
        let folder = try TemporaryFolder([
            "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n", "added_tokens.json": #"{"[E1]": 9}"#,
        ])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(try tokenizer.encode("[E1] a").ids == [2, 9, 5, 3])
        #expect(tokenizer.token(9) == "[E1]")
        #expect(tokenizer.token(8) == nil)
    }

    @Test("special tokens that tokenizer.json names otherwise than the files beside it are refused by their keys")
    func otherNames() throws {
        let json = """
            {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}}}
            """
        for key in ["unk_token", "cls_token", "sep_token"] {
            let found = try #require(
                try refusal(["tokenizer.json": json, "tokenizer_config.json": #"{"\#(key)": "a"}"#]))
            #expect(found.contains("the \(key) is") && found.contains("\"a\""), "\(found)")
        }
        #expect(try refusal(["tokenizer.json": json, "tokenizer_config.json": #"{"unk_token": "[UNK]"}"#]) == nil)
    }

    @Test("a Git LFS pointer is called so", arguments: ["vocab.txt", "tokenizer.json", "tokenizer_config.json"])
    func pointer(name: String) throws {
        let found = try #require(
            try refusal([name: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 231508\n"]))
        #expect(found.contains("\(name): a Git LFS pointer") && found.contains("git lfs pull"), "\(found)")
    }
}
