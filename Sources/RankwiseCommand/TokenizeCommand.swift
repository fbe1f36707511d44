import ArgumentParser
import Foundation
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

    @Option(help: "The model's folder, with tokenizer.json, or the older files of a tokenizer.")
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
        try reportingErrors {
            let tokenizer = try Tokenizer(modelDirectory: model)
            try decode ? printTexts(tokenizer) : printIds(tokenizer)
        }
    }

    private func printIds(_ tokenizer: Tokenizer) throws {
        struct Ids: Encodable {
            let ids: [Int32]
            let offsets: [[Int]]?
        }
        let truncation = maxLength.map { Truncation(maxLength: $0, truncatesStart: tokenizer.truncatesStart) }
        var texts = InputTexts(format: .jsonl)
        try texts.forEachGroup(of: 256) { group in
            for (text, pair, _) in group {
                let encoded = try tokenizer.encode(text, pair: pair, truncation: truncation, keepsOffsets: offsets)
                let pairs = offsets ? encoded.offsets.map { [$0.lowerBound, $0.upperBound] } : nil
                try printLine(jsonText(Ids(ids: encoded.ids, offsets: pairs)))
            }
        }
    }

    private func printTexts(_ tokenizer: Tokenizer) throws {
        struct Ids: Decodable { let ids: [Int32] }
        struct Text: Encodable { let text: String }
        try InputLines.forEachGroup(of: 256) { group in
            for (number, line) in group {
                guard let object = try? JSONDecoder().decode(Ids.self, from: Data(line.utf8)) else {
                    throw InputError(
                        "\(InputLines.name):\(number): \(line.prefix(60).debugDescription), expected a JSON object such as "
                            + "{\"ids\": [101, 102]}")
                }
                try printLine(jsonText(Text(text: tokenizer.decode(object.ids))))
            }
        }
    }
}
