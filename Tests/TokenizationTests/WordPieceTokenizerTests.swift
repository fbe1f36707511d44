import Diagnostics
import Foundation
import Testing

@testable import Tokenization

/// The error that reading a tokenizer from these files gives.
private func refusal(_ files: [String: String]) throws -> TokenizationError? {
    let folder = try TemporaryFolder(files)
    do throws(TokenizationError) {
        _ = try Tokenizer(modelDirectory: folder.path)
        return nil
    } catch {
        return error
    }
}

private let words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n"

/// The smallest `tokenizer.json`, with one of its parts replaced.
private func json(replacing old: String = "", with new: String = "") -> String {
    let standard = """
        {"added_tokens": [{"id": 6, "content": "<x>", "normalized": false, "special": true}],
         "normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
          "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##a": 4, "b": 5}}}
        """
    return old.isEmpty ? standard : standard.replacingOccurrences(of: old, with: new)
}

extension Tokenizer {
    fileprivate func encode(_ text: String, pair: String? = nil, maxLength: Int) throws -> Encoding {
        try encode(text, pair: pair, truncation: Truncation(maxLength: maxLength, truncatesStart: truncatesStart))
    }
}

@Suite("BERT's tokenizer from the files of a folder") struct WordPieceTokenizerTests {
    @Test("the special tokens' numbers and the vocabulary's size are those of the file")
    func specialTokens() throws {
        let folder = try TemporaryFolder()
        try folder.copyFixture("bert-vocab.txt", as: "vocab.txt")
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(tokenizer.vocabularySize == 30_522)
        #expect(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(tokenizer.id) == [0, 100, 101, 102, 103])
        #expect(tokenizer.specialTokenCount(isPair: false) == 2)
        #expect(tokenizer.specialTokenCount(isPair: true) == 3)
    }

    @Test("BertProcessing, an added token beyond the vocabulary, and a missing padding token are taken as they are")
    func smallestJSON() throws {
        let folder = try TemporaryFolder(["tokenizer.json": json()])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(try tokenizer.encode("aa<x>b [SEP]", pair: "A").ids == [1, 3, 4, 6, 5, 2, 2, 3, 2])
        #expect(try tokenizer.encode("a", pair: "b").typeIDs == [0, 0, 0, 1, 1])
        #expect(tokenizer.vocabularySize == 7)
        #expect(tokenizer.id(of: "[PAD]") == nil)
    }

    @Test("tokenizer_config.json counts more than the normaliser of tokenizer.json, but not for the generic class")
    func configurationOverrides() throws {
        func unknown(_ configuration: String) throws -> Bool {
            let folder = try TemporaryFolder(["tokenizer.json": json(), "tokenizer_config.json": configuration])
            return try Tokenizer(modelDirectory: folder.path).encode("A").ids == [1, 0, 2]
        }
        #expect(try unknown(#"{"do_lower_case": false}"#))
        #expect(try !unknown(#"{"do_lower_case": true}"#))
        #expect(try !unknown(#"{"do_lower_case": false, "tokenizer_class": "PreTrainedTokenizerFast"}"#))
        #expect(try !unknown("{}"))
    }

    @Test("special tokens are named by special_tokens_map.json, as strings or as objects")
    func namedSpecialTokens() throws {
        let folder = try TemporaryFolder([
            "vocab.txt": "<pad>\n<unk>\n<s>\n</s>\na\n",
            "special_tokens_map.json":
                #"{"unk_token": "<unk>", "cls_token": {"content": "<s>"}, "sep_token": "</s>", "pad_token": "<pad>"}"#,
        ])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(try tokenizer.encode("a</s>z").ids == [2, 4, 3, 1, 3])
        #expect(tokenizer.id(of: "[MASK]") == nil)
    }

    @Test("blank and repeated lines and trailing spaces of vocab.txt count as the tokenizers library counts them")
    func untidyVocabulary() throws {
        let folder = try TemporaryFolder(["vocab.txt": "[UNK]\r\n\n[CLS]\n[SEP] \na\n\na\t\nb"])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(try tokenizer.encode("a b").ids == [2, 6, 7, 3])
        #expect(tokenizer.vocabularySize == 8)
    }

    @Test("tokens that Unicode holds equivalent stay two tokens")
    func equivalentTokens() throws {
        let folder = try TemporaryFolder([
            "vocab.txt": words + "\u{e9}\ne\u{301}\n", "tokenizer_config.json": #"{"strip_accents": false}"#,
        ])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        #expect(try tokenizer.encode("\u{e9} e\u{301}").ids == [2, 8, 9, 3])
    }

    @Test("a length without room for the special tokens leaves these alone")
    func tooShort() throws {
        let folder = try TemporaryFolder(["vocab.txt": words])
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        for length in [Int.min, -1, 0, 1, 2] {
            #expect(try tokenizer.encode("a b", maxLength: length).ids == [2, 3])
            #expect(try tokenizer.encode("a b", pair: "a", maxLength: length).ids == [2, 3, 3])
        }
        #expect(try tokenizer.encode("a b", maxLength: .max).ids == [2, 5, 6, 3])
    }

    @Test("a folder without a tokenizer is missing input")
    func missing() throws {
        #expect(try refusal([:])?.kind == .missingInput)
        #expect(throws: TokenizationError.self) { try Tokenizer(modelDirectory: "/no/such/folder") }
    }

    @Test(
        "a damaged tokenizer.json is bad data",
        arguments: [
            ("\"a\": 3", "\"a\": -3"), ("\"a\": 3", "\"a\": 3.5"), ("\"a\": 3", "\"a\": 4294967296"),
            ("\"a\": 3", "\"a\": \"3\""), ("\"[SEP]\": 2, ", ""), ("\"vocab\"", "\"words\""),
            ("\"id\": 6", "\"id\": -6"), ("\"content\": \"<x>\"", "\"content\": 1"), ("100", "-1"), ("100", "\"many\""),
            ("[\"[SEP]\", 2]", "[]"), ("}}}", "}}"), ("{\"added", "[{\"added"), ("\"a\": 3", "\"a\": 3,"),
        ])
    func damagedJSON(old: String, new: String) throws {
        #expect(try refusal(["tokenizer.json": json(replacing: old, with: new)])?.kind == .badData)
    }

    @Test(
        "a template that does not hold each text once is bad data",
        arguments: [
            #""single": [], "pair": []"#,
            #""single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}]"#,
            #""single": [{"Sequence": {"id": "C", "type_id": 0}}], "pair": []"#,
            #""single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}], "pair": []"#,
            #""single": [{"Sequence": {"id": "A", "type_id": -1}}], "pair": []"#, #""single": {}, "pair": 3"#,
        ])
    func badTemplates(template: String) throws {
        let processor = #"{"type": "TemplateProcessing", "special_tokens": {}, "# + template + "}"
        let old = #"{"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}"#
        #expect(try refusal(["tokenizer.json": json(replacing: old, with: processor)])?.kind == .badData)
    }

    @Test("a vocabulary without its special tokens, or of another tokenizer's class, is bad data")
    func badVocabulary() throws {
        #expect(try refusal(["vocab.txt": ""])?.kind == .badData)
        #expect(try refusal(["vocab.txt": "a\nb\n"])?.description.contains("[CLS]") == true)
        let japanese = #"{"tokenizer_class": "BertJapaneseTokenizer"}"#
        #expect(try refusal(["vocab.txt": words, "tokenizer_config.json": japanese])?.kind == .badData)
        #expect(try refusal(["vocab.txt": words, "tokenizer_config.json": "[]"])?.kind == .badData)
        #expect(try refusal(["vocab.txt": words, "tokenizer_config.json": #"{"sep_token": 3}"#])?.kind == .badData)
        #expect(try refusal(["vocab.txt": words, "tokenizer_config.json": #"{"truncation_side": "up"}"#]) != nil)
    }

    @Test("a vocabulary that is not UTF-8 is refused with the line")
    func notUTF8() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array("[UNK]\n[CLS]\n".utf8) + [0xFF, 0x0A], to: "vocab.txt")
        let error = #expect(throws: TokenizationError.self) { try Tokenizer(modelDirectory: folder.path) }
        #expect(error?.description.hasPrefix("\(path):3: ") == true)
    }

    @Test("no damage to a byte of tokenizer.json traps")
    func fuzzedJSON() throws {
        let original = Array(try Data(contentsOf: fixtures.appendingPathComponent("bert-small-tokenizer.json")))
        let folder = try TemporaryFolder()
        var refused = 0
        for position in stride(from: 0, to: original.count, by: 3) {
            var bytes = original
            if position.isMultiple(of: 2) { bytes[position] ^= 0x11 } else { bytes.removeSubrange(position...) }
            try folder.write(bytes, to: "tokenizer.json")
            do {
                _ = try Tokenizer(modelDirectory: folder.path).encode("abc User [MASK] 😀", maxLength: 5)
            } catch is TokenizationError {
                refused += 1
            }
        }
        #expect(refused > original.count / 6)
    }

    @Test("a long text takes time in proportion to its length")
    func speed() throws {
        let folder = try TemporaryFolder()
        try folder.copyFixture("bert-vocab.txt", as: "vocab.txt")
        let tokenizer = try Tokenizer(modelDirectory: folder.path)
        let sentence = "A gripping, movie that plays like a tautly ironic revenge-fantasy about its naïve hero. "
        func time(_ text: String) -> Duration {
            let clock = ContinuousClock()
            return (0..<3).map { _ in clock.measure { _ = try? tokenizer.encode(text) } }.min() ?? .zero
        }
        let (short, long) = (String(repeating: sentence, count: 100), String(repeating: sentence, count: 2000))
        // Twenty times the text; the double of that, and more, is left to a busy machine. Quadratic would be 400 times.
        #expect(time(long) < time(short) * 100)
        #expect(try tokenizer.encode(long).ids.count == 2 + 2000 * (try tokenizer.encode(sentence).ids.count - 2))
    }
}
