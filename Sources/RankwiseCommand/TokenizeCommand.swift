import ArgumentParser
import Foundation
import Tokenization

/// `rankwise tokenize`.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Show the token ids of texts on standard input, or the texts of ids; JSON Lines in and out.",
        discussion: """
              echo '{"text": "A wonderful film."}' | rankwise tokenize --model minilm
              {"ids":[101,1037,6919,2143,1012,102]}
              echo '{"ids": [101, 1037, 6919, 2143, 1012, 102]}' | rankwise tokenize --model minilm --decode
              {"text":"a wonderful film."}
            """)

    @Option(help: "The model's folder, with tokenizer.json, vocab.txt, vocab.json and merges.txt, or spm.model.")
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
        if let maxLength, maxLength < 3 { throw ValidationError("--max-length is \(maxLength), expected at least 3") }
        if decode, offsets || maxLength != nil {
            throw ValidationError("--decode goes with neither --offsets nor --max-length")
        }
    }

    func run() throws {
        try reportingErrors {
            let tokenizer = try Tokenizer(modelDirectory: model)
            let truncation = maxLength.map { Truncation(maxLength: $0, truncatesStart: tokenizer.truncatesStart) }
            try InputLines.forEachGroup(of: 256) { group in
                for (number, line) in group {
                    try printLine(
                        decode ? text(of: line, number, tokenizer) : ids(of: line, number, tokenizer, truncation))
                }
            }
        }
    }

    private func ids(
        of line: String, _ number: Int, _ tokenizer: Tokenizer, _ truncation: Truncation?
    ) throws -> String {
        struct Ids: Encodable {
            let ids: [Int32]
            let offsets: [[Int]]?
        }
        let object = try InputLines.object(line, number: number)
        let encoded = try tokenizer.encode(
            object.text, pair: object.textPair, truncation: truncation, keepsOffsets: offsets)
        let pairs = offsets ? encoded.offsets.map { [$0.lowerBound, $0.upperBound] } : nil
        return try jsonText(Ids(ids: encoded.ids, offsets: pairs))
    }

    private func text(of line: String, _ number: Int, _ tokenizer: Tokenizer) throws -> String {
        struct Ids: Decodable { let ids: [Int32] }
        struct Text: Encodable { let text: String }
        guard let object = try? JSONDecoder().decode(Ids.self, from: Data(line.utf8)) else {
            throw InputError(
                "standard input:\(number): \(line.prefix(60).debugDescription), expected a JSON object such as "
                    + "{\"ids\": [101, 102]}")
        }
        return try jsonText(Text(text: tokenizer.decode(object.ids)))
    }
}
