import ArgumentParser
import Diagnostics
import Foundation
import Tokenization

/// `rankwise bench tokenize`.
struct TokenizeBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "A model's tokenizer on the lines of a file; launch/rival/time_tokenizers.py times Hugging Face's.")

    struct Figures: Encodable {
        let texts: Int
        let tokens: Int
        /// The fastest round: what else ran on the machine only adds to it.
        let idsSeconds: Double
        let offsetsSeconds: Double
        let loadSeconds: Double

        var text: String {
            func line(_ name: String, _ seconds: Double) -> String {
                "\(name)\(String(format: "%8.2f ms  %6.2f million tokens/s", seconds * 1e3, Double(tokens) / seconds / 1e6))"
            }
            return """
                \(texts) texts, \(tokens) tokens, one thread
                \(line("ids alone    ", idsSeconds))
                \(line("with offsets ", offsetsSeconds))
                \(String(format: "reading the tokenizer %.1f ms", loadSeconds * 1e3))
                """
        }
    }

    @Option(help: "The model's folder.")
    var model: String

    @Option(help: "A text file; each line is a text.")
    var texts: String

    @Option(help: "Times that all texts are tokenised.")
    var rounds = 5

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds is \(rounds), expected at least 1") }
    }

    func run() throws {
        try reportingErrors {
            guard let data = FileManager.default.contents(atPath: texts), !data.isEmpty else {
                throw TokenizationError(
                    .missingInput, "\(texts): no such file, or an empty one; expected texts, one a line")
            }
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
            let clock = ContinuousClock()
            let start = clock.now
            let tokenizer = try Tokenizer(modelDirectory: model)
            let load = clock.now - start
            var tokens = 0
            func fastest(keepsOffsets: Bool) throws -> Double {
                var best = Double.infinity
                for _ in 0..<rounds {
                    let start = clock.now
                    tokens = 0
                    for line in lines { tokens += try tokenizer.encode(line, keepsOffsets: keepsOffsets).count }
                    best = min(best, (clock.now - start) / .seconds(1))
                }
                return best
            }
            let (ids, offsets) = (try fastest(keepsOffsets: false), try fastest(keepsOffsets: true))
            let figures = Figures(
                texts: lines.count, tokens: tokens, idsSeconds: ids, offsetsSeconds: offsets,
                loadSeconds: load / .seconds(1))
            try printLine(json ? jsonText(figures) : figures.text)
        }
    }
}
