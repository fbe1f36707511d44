import Foundation
import Tokenization

/// A `tokenizer.json` with every stage of a pipeline.
struct PipelineReader: FileReader {
    static let name = "pipeline"
    static let share = 16

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let folder = workshop.package + "/Tests/TokenizationTests/Fixtures/"
        var seeds: [Seed] = []
        for name in ["llama3", "llama2-v4", "t5", "clip", "bert-cased", "roberta"] {
            var contents = String(decoding: try Workshop.bytes(folder + name + ".json"), as: UTF8.self)
            contents = contents.replacingOccurrences(of: "\"nmt_nfkc\"", with: "\"\(Self.characterMap)\"")
            seeds.append(try workshop.seed(name, file: "tokenizer.json", text: contents, format: .json))
        }
        for (name, text) in [("small", Self.small), ("metaspace", Self.metaspace), ("bytes", Self.bytes)] {
            seeds.append(try workshop.seed(name, file: "tokenizer.json", text: text, format: .json))
        }
        self.seeds = seeds
    }

    /// A map of one unit that knows nothing, and one replacement.
    private static let characterMap = Data([4, 0, 0, 0, 0, 0, 0, 0, 0x61, 0]).base64EncodedString()

    private static let small = #"""
        {"truncation":{"direction":"Left","max_length":8,"strategy":"LongestFirst","stride":2},
         "added_tokens":[{"id":9,"content":" <x>","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,"special":false},
                         {"id":10,"content":"<x><y>","normalized":false,"special":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"Strip","strip_left":true,"strip_right":true},
          {"type":"Replace","pattern":{"Regex":"(?i:x|y{2,3})[^\\s\\p{L}]?(?!a)|\\x{41}-+"},"content":""},{"type":"Prepend","prepend":"▁"},
          {"type":"Precompiled","precompiled_charsmap":"DAAAAAAEAAABAAAAYQAAgGFhAGIA"}]},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":false},{"type":"Punctuation","behavior":"Contiguous"},
          {"type":"FixedLength","length":3},{"type":"CharDelimiterSplit","delimiter":"q"},{"type":"Split","pattern":{"String":"ab"},"behavior":"MergedWithNext","invert":true}]},
         "post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel","trim_offsets":true,"add_prefix_space":false},
          {"type":"BertProcessing","sep":["b",1],"cls":["a",0]}]},
         "decoder":{"type":"Sequence","decoders":[{"type":"WordPiece","prefix":"@@","cleanup":true},{"type":"Strip","content":"a","start":1,"stop":9}]},
         "model":{"type":"BPE","dropout":null,"unk_token":"u","continuing_subword_prefix":"@@","end_of_word_suffix":"$","fuse_unk":false,
          "vocab":{"a":0,"b":1,"u":2,"@@b":3,"ab":4,"@@b$":5,"ab$":6,"\u00e9":7,"e\u0301":8},"merges":["a @@b",["a","@@b$"]]}}
        """#

    private static let metaspace = #"""
        {"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}]},
         "decoder":{"type":"Metaspace","replacement":"▁","add_prefix_space":true},
         "model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["u",0.0],["▁",-2.5],["▁a",-3e0],["b",-0.1234567890123456789],["<0x63>",-1.5]]}}
        """#

    private static let bytes = #"""
        {"normalizer":{"type":"ByteLevel"},"pre_tokenizer":{"type":"Whitespace"},"decoder":{"type":"BPEDecoder","suffix":"a"},
         "post_processor":{"type":"RobertaProcessing","sep":["b",1],"cls":["a",0],"trim_offsets":true,"add_prefix_space":true},
         "model":{"type":"WordLevel","unk_token":"u","vocab":{"a":0,"b":1,"u":2}}}
        """#

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try Self.encodeSamples(with: Tokenizer(modelDirectory: input.seed.folder))
    }

    private static let texts = [
        "", " ", "The film was great,  a movie\n\n that's NOT good 123.",
        "a\u{301}\u{327}b \u{4E2D}\u{6587}\u{1F600}\u{0}\u{FFFD}\u{FDFA}",
        "[CLS] <x><y>  <x> <mask>" + String(repeating: "ab", count: 60), String(repeating: "\u{301}", count: 200),
        "\r\n\u{AC00}\u{11A8}e",
    ]

    /// - Throws: ``BrokenPromise`` if a token lies outside the vocabulary, an offset outside the text, or a sequence is longer
    ///   than was asked.
    static func encodeSamples(with tokenizer: Tokenizer) throws {
        for text in texts {
            for (pair, length) in [(nil, nil), (text, 7), (texts[2], 0)] as [(String?, Int?)] {
                let truncation = length.map { Truncation(maxLength: $0) }
                let encoded: Encoding
                do {
                    encoded = try tokenizer.encode(text, pair: pair, truncation: truncation, keepsOffsets: true)
                } catch {
                    continue
                }
                let special = tokenizer.specialTokenCount(isPair: pair != nil)
                let longest = max(text.unicodeScalars.count, pair?.unicodeScalars.count ?? 0)
                guard encoded.typeIDs.count == encoded.count,
                    encoded.ids.allSatisfy({ $0 >= 0 && $0 < tokenizer.vocabularySize }),
                    encoded.offsets.count == encoded.count,
                    encoded.words.count == encoded.count,
                    encoded.offsets.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= longest }),
                    length.map({ encoded.count <= max($0, special) }) ?? true
                else { throw BrokenPromise("'\(text)' became \(encoded.ids) at \(encoded.offsets)") }
                _ = tokenizer.decode(encoded.ids, skipsSpecialTokens: pair == nil)
            }
            _ = try? tokenizer.encodeWindows(text, truncation: Truncation(maxLength: 9, stride: 2))
        }
    }
}

/// A byte-level vocabulary in `vocab.json`, and its `merges.txt`.
struct MergesReader: FileReader {
    static let name = "merges"
    static let share = 6

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = workshop.package + "/Tests/TokenizationTests/Fixtures/roberta-folder"
        seeds = [
            try workshop.seed("merges", file: "merges.txt", copying: origin, format: .lines),
            try workshop.seed("vocabulary", file: "vocab.json", copying: origin, format: .json),
            try workshop.seed("settings", file: "tokenizer_config.json", copying: origin, format: .json),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try PipelineReader.encodeSamples(with: Tokenizer(modelDirectory: input.seed.folder))
    }
}

/// A SentencePiece model.
struct SentencePieceReader: FileReader {
    static let name = "sentencepiece"
    static let share = 8

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let folder = workshop.package + "/Tests/TokenizationTests/Fixtures/"
        seeds = [
            try workshop.seed("unigram", file: "spm.model", copying: folder + "deberta-folder", format: .bytes),
            try workshop.seed("pairs", file: "tokenizer.model", copying: folder + "llama-folder", format: .bytes),
            try workshop.seed(
                "map", file: "spiece.model", contents: try Workshop.bytes(folder + "spm.model"), format: .bytes),
        ]
        try Array(#"{"model_type": "t5"}"#.utf8).write(to: workshop.folder + "/map/config.json")
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try PipelineReader.encodeSamples(with: Tokenizer(modelDirectory: input.seed.folder))
    }
}
