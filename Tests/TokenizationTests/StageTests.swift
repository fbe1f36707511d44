import Foundation
import Testing

@testable import Tokenization

/// Each stage alone, compared with the tokenizers library's.
@Suite("Stages")
struct StageTests {
    private static let golden = Result {
        let json = try Fixture.withCharacterMap(String(decoding: Fixture.bytes("stages.json"), as: UTF8.self))
        return JSONReader(
            try SourceFile(path: "stages.json", bytes: Array(json.utf8)).jsonObject(), path: "stages.json")
    }

    private static func texts(_ key: String) throws -> [String] {
        try golden.get().elements(key).map { try #require($0.value.text) }
    }

    @Test("every normalizer gives the normalised text")
    func normalizers() throws {
        let texts = try Self.texts("texts")
        for entry in try Self.golden.get().elements("normalizers") {
            let normalizer = try Normalizer(try #require(entry["stage"]))
            for (text, expected) in zip(texts, try entry.elements("normalized")) {
                let found = normalizer.normalized(AlignedText(Array(text.utf8), keepsOrigins: false))
                #expect(found.bytes[...] == expected.value.bytes, "\(entry.place): \(text.debugDescription)")
            }
        }
    }

    @Test("every pre-tokenizer and pattern gives the pieces, and where they come from")
    func preTokenizers() throws {
        let texts = try Self.texts("cuts")
        for entry in try Self.golden.get().elements("preTokenizers") {
            let preTokenizer = try PreTokenizer(try #require(entry["stage"]))
            for (text, pieces) in zip(texts, try entry.elements("pieces")) {
                var cut = CutText(AlignedText(Array(text.utf8), keepsOrigins: true))
                preTokenizer.cut(&cut)
                let found = cut.pieces.map { piece in
                    let origin = cut.text.origin(of: piece)
                    return "\(String(decoding: cut.text.bytes[piece], as: UTF8.self)) \(origin.start) \(origin.end)"
                }
                let expected = try #require(pieces.value.elements).map { piece in
                    (piece.elements ?? []).map { $0.text ?? $0.integer?.description ?? "" }.joined(separator: " ")
                }
                #expect(found == expected, "\(entry.place): \(text.debugDescription)")
            }
        }
    }

    @Test("every decoder gives the text")
    func decoders() throws {
        for entry in try Self.golden.get().elements("decoders") {
            let decoder = try Decoder(try #require(entry["stage"]))
            let tokens = try entry.elements("tokens").map { Array(try #require($0.value.bytes)) }
            let found = decoder.decoded(tokens).joined()
            #expect(Array(found) == (try entry.bytes("text")), "\(entry.place)")
        }
    }

    @Test("every class of a pattern holds the scalars that it holds in the tokenizers library")
    func classes() throws {
        for entry in try Self.golden.get().elements("classes") {
            let pattern = try entry.text("pattern")
            guard case .set(let set) = try PatternParser.parse(pattern) else {
                Issue.record("\(pattern) is no set")
                continue
            }
            var (value, count) = (0xCBF2_9CE4_8422_2325 as UInt64, 0)
            for code in UInt32(0)..<0x11_0000 {
                guard let scalar = Unicode.Scalar(code), set.contains(scalar) else { continue }
                value = (value ^ UInt64(code)) &* 0x100_0000_01B3
                count += 1
            }
            #expect(count == (try entry.optionalInteger("count")), "\(pattern)")
            let digits = String(value, radix: 16)
            #expect(
                String(repeating: "0", count: 16 - digits.count) + digits == (try entry.text("digest")), "\(pattern)")
        }
    }

    @Test("every truncation leaves the tokens, and gives the windows")
    func truncations() throws {
        let tokenizer = try Fixture.tokenizer("bert-uncased")
        let strategies: [String: Truncation.Strategy] = [
            "longest_first": .longestFirst, "only_first": .onlyFirst, "only_second": .onlySecond,
        ]
        for entry in try Self.golden.get().elements("truncations") {
            let truncation = Truncation(
                maxLength: try entry.count("length", or: 0),
                strategy: try #require(strategies[try entry.text("strategy")]),
                truncatesStart: try entry.text("direction") == "left", stride: try entry.count("stride", or: 0))
            let (text, pair) = (try entry.text("text"), try entry.optionalText("pair"))
            guard entry["windows"] != nil else {
                #expect(throws: TokenizationError.self, "\(entry.place)") {
                    _ = try tokenizer.encodeWindows(text, pair: pair, truncation: truncation)
                }
                continue
            }
            let windows = try entry.elements("windows").map { window in
                try #require(window.value.elements).map { Int32(try #require($0.integer)) }
            }
            #expect(try tokenizer.encode(text, pair: pair, truncation: truncation).ids == windows[0], "\(entry.place)")
            // The library also gives what is left over when nothing may stay, and windows over both texts.
            guard truncation.maxLength > tokenizer.specialTokenCount(isPair: pair != nil),
                pair == nil || truncation.strategy != .longestFirst
            else { continue }
            let found = try tokenizer.encodeWindows(text, pair: pair, truncation: truncation).map(\.ids)
            #expect(found == windows, "\(entry.place)")
        }
    }
}
