import Foundation
import Tokenization

/// A tokenizer in `tokenizer.json`.
struct TokenizerReader: FileReader {
    static let name = "tokenizer"
    static let share = 12

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = workshop.fixture("tiny-bert")
        seeds = [
            try workshop.seed("tiny-bert", file: "tokenizer.json", copying: origin, format: .json),
            try workshop.seed("small", file: "tokenizer.json", text: Self.small, format: .json),
            try workshop.seed("pair", file: "tokenizer.json", text: Self.template, format: .json),
        ]
    }

    private static let vocabulary =
        ###"{"[UNK]":0,"[CLS]":1,"[SEP]":2,"[PAD]":3,"[MASK]":4,"a":5,"##b":6,"\u00e9":7,"e\u0301":8,"1":9}"###

    private static let small = #"""
        {"version":"1.0","truncation":{"direction":"Left","max_length":8,"strategy":"LongestFirst","stride":0},
         "added_tokens":[{"id":10,"content":" <x>","single_word":true,"lstrip":true,"rstrip":true,"normalized":true},
                         {"id":11,"content":"<x><y>","normalized":false,"special":true}],
         "normalizer":{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,"strip_accents":true,"lowercase":false},
         "pre_tokenizer":{"type":"BertPreTokenizer"},
         "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},
         "model":{"unk_token":"[UNK]","continuing_subword_prefix":"\u0023#","max_input_chars_per_word":4,"vocab":\#(vocabulary)}}
        """#

    private static let template = #"""
        {"added_tokens":[],"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
         "post_processor":{"type":"TemplateProcessing",
          "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
          "pair":[{"Sequence":{"id":"B","type_id":3}},{"SpecialToken":{"id":"[SEP]","type_id":1}},{"Sequence":{"id":"A","type_id":0}}],
          "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1,1],"tokens":["[CLS]","[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]}}},
         "model":{"type":"WordPiece","vocab":\#(vocabulary)}}
        """#

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try Self.encodeSamples(with: Tokenizer(modelDirectory: input.seed.folder))
    }

    private static let texts = [
        "", "The film was great, a movie that is not good.", "a\u{301}\u{327}b \u{4E2D}\u{6587}\u{1F600}\u{0}\u{FFFD}",
        "[CLS] <x><y>  <x> [MASK]" + String(repeating: "ab", count: 60), String(repeating: "\u{301}", count: 200),
    ]

    /// - Throws: ``BrokenPromise`` if a token lies outside the vocabulary, or a sequence is longer than was asked.
    static func encodeSamples(with tokenizer: Tokenizer) throws {
        for text in texts {
            for (pair, length) in [(nil, nil), (text, 7), (texts[1], 0), (nil, .max), ("b", -1)] as [(String?, Int?)] {
                let encoded = try tokenizer.encode(
                    text, pair: pair, truncation: length.map { Truncation(maxLength: $0) })
                let special = tokenizer.specialTokenCount(isPair: pair != nil)
                guard encoded.ids.count == encoded.typeIDs.count,
                    encoded.ids.allSatisfy({ $0 >= 0 && $0 < tokenizer.vocabularySize }),
                    length.map({ encoded.ids.count <= max($0, special) }) ?? true
                else { throw BrokenPromise("'\(text)' became \(encoded.ids)") }
            }
        }
    }
}

/// A tokenizer in `vocab.txt`, with `tokenizer_config.json` and `special_tokens_map.json`, or `added_tokens.json`.
struct VocabularyReader: FileReader {
    static let name = "vocabulary"
    static let share = 8

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = try workshop.newFolder("origin")
        try Workshop.bytes(workshop.fixture("tiny-bert/vocab.txt")).write(to: origin + "/vocab.txt")
        let bare = try workshop.newFolder("bare")
        try Workshop.bytes(workshop.fixture("tiny-bert/vocab.txt")).write(to: bare + "/vocab.txt")
        let settings = #"""
            {"tokenizer_class": "BertTokenizer", "do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true,
             "unk_token": "[UNK]", "cls_token": {"content": "[CLS]", "lstrip": false}, "truncation_side": "right",
             "model_max_length": 512, "added_tokens_decoder": {"0": {"content": "[PAD]", "special": true, "normalized": false},
             "104": {"content": "<new>", "lstrip": true, "rstrip": true, "single_word": true, "normalized": true}}}
            """#
        let map = #"""
            {"cls_token": "[CLS]", "mask_token": {"content": "[MASK]"}, "pad_token": "[PAD]", "sep_token": "[SEP]",
             "unk_token": "[UNK]"}
            """#
        seeds = [
            try workshop.seed("vocabulary", file: "vocab.txt", copying: origin, format: .lines),
            try workshop.seed(
                "settings", file: "tokenizer_config.json", copying: origin, text: settings, format: .json),
            try workshop.seed(
                "special-tokens", file: "special_tokens_map.json", copying: origin, text: map, format: .json),
            try workshop.seed(
                "added-tokens", file: "added_tokens.json", copying: bare, text: #"{"[E1]": 104, "film": 40, "é": 200}"#,
                format: .json),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try TokenizerReader.encodeSamples(with: Tokenizer(modelDirectory: input.seed.folder))
    }
}
