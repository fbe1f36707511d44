import ArgumentParser
import Foundation
import Text

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

    func validate() throws {
        if let maxLength, maxLength < 3 { throw ValidationError("--max-length is \(maxLength), expected at least 3") }
    }

    func run() throws {
        struct Ids: Encodable { let ids: [Int32] }
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
}
