import ArgumentParser
import Foundation
import Text
import Tokenization

/// `rankwise tokenize`.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Show the token ids of texts on standard input, JSON Lines in and out.",
        discussion: """
              echo '{"text": "A wonderful film."}' | rankwise tokenize --model minilm
              {"ids":[101,1037,6919,2143,1012,102]}
            """)

    @Option(help: "The model's folder, with tokenizer.json or vocab.txt.")
    var model: String

    @Option(help: "Tokens of a sample, special tokens included; what is longer is cut.")
    var maxLength: Int?

    @Flag(
        help: "Show where each token comes from in its text, in Unicode scalars: the first, and the one after the last."
    )
    var offsets = false

    @Flag(help: "Read ids and show their text, without the special tokens.")
    var decode = false

    func validate() throws {
        if decode, offsets || maxLength != nil {
            throw ValidationError("--decode goes with neither --offsets nor --max-length")
        }
        if let maxLength, maxLength < 3 { throw ValidationError("--max-length is \(maxLength), expected at least 3") }
    }

    func run() throws {
        struct Ids: Encodable { let ids: [Int32] }
        if decode || offsets { return try reportingErrors { try runPipeline() } }
        try reportingErrors {
            let tokenizer = try WordPieceTokenizer(modelDirectory: model)
            var texts = InputTexts(format: .jsonl)
            try texts.forEachGroup(of: 256) { group in
                for (text, pair, _) in group {
                    let tokenized = tokenizer.encode(text, pair: pair, maxLength: maxLength)
                    try printLine(jsonText(Ids(ids: tokenized.ids)))
                }
            }
        }
    }

    /// What tokenizer.json says, read literally: for tokenizers of every family, also those that training does not read yet.
    private func runPipeline() throws {
        struct Ids: Codable { let ids: [Int32] }
        struct Offsets: Encodable {
            let ids: [Int32]
            let offsets: [[Int]]
        }
        struct Decoded: Encodable { let text: String }
        let tokenizer = try Tokenizer(modelDirectory: model)
        if decode {
            return try InputLines.forEachGroup(of: 256) { group in
                for (number, line) in group {
                    guard let object = try? JSONDecoder().decode(Ids.self, from: Data(line.utf8)) else {
                        throw InputError(
                            "\(InputLines.name):\(number): \(line.prefix(60).debugDescription), expected a JSON object such as "
                                + "{\"ids\": [101, 102]}")
                    }
                    try printLine(jsonText(Decoded(text: tokenizer.decode(object.ids))))
                }
            }
        }
        let truncation = maxLength.map { Truncation(maxLength: $0, truncatesStart: tokenizer.truncatesStart) }
        var texts = InputTexts(format: .jsonl)
        try texts.forEachGroup(of: 256) { group in
            for (text, pair, _) in group {
                let encoded = try tokenizer.encode(text, pair: pair, truncation: truncation, keepsOffsets: true)
                try printLine(
                    jsonText(
                        Offsets(ids: encoded.ids, offsets: encoded.offsets.map { [$0.lowerBound, $0.upperBound] })))
            }
        }
    }
}
