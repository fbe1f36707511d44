import Foundation
import LinearAlgebra
import Models
import NeuralNetwork

/// A model folder as training reads it: its configuration and its weights.
struct ModelReader: FileReader {
    static let name = "model"
    static let share = 16

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = workshop.fixture("tiny-bert")
        func configuration(_ changes: [String: Any]) throws -> String {
            let data = try Data(contentsOf: URL(fileURLWithPath: origin + "/config.json"))
            var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
            object.merge(changes) { _, new in new }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]), as: UTF8.self)
        }
        let others = try ["roberta", "distilbert", "electra", "mpnet", "deberta-v3", "deberta-v2", "modernbert"].map {
            name in
            try workshop.seed(
                name, file: "config.json", copying: workshop.fixture("encoders/tiny-" + name), format: .json)
        }
        let enormous = try workshop.seed(
            "enormous-heads", file: "config.json", copying: workshop.fixture("encoders/tiny-deberta-v3"),
            text: String(
                decoding: JSONSerialization.data(
                    withJSONObject: [
                        "model_type": "deberta-v2", "hidden_size": 1 << 24, "num_attention_heads": 1 << 24,
                        "attention_head_size": 1 << 24,
                    ]), as: UTF8.self), format: .json, verdict: .refused)
        seeds =
            others + [
                enormous,
                try workshop.seed("configuration", file: "config.json", copying: origin, format: .json),
                try workshop.seed("weights", file: "model.safetensors", copying: origin, format: .safetensors),
                try workshop.seed(
                    "classifier", file: "config.json", copying: workshop.fixture("tiny-bert-classifier"), format: .json),
                try workshop.seed(
                    "half-precision", file: "model.safetensors", copying: workshop.fixture("tiny-bert-float16"),
                    format: .safetensors),
                // Widths that no memory holds must be found wrong before anything of their size is made.
                try workshop.seed(
                    "widest", file: "config.json", copying: origin,
                    text: configuration(["hidden_size": 1 << 24, "intermediate_size": 1 << 24, "vocab_size": 1 << 24]),
                    format: .json, verdict: .refused),
                try workshop.seed(
                    "wide-filter", file: "config.json", copying: origin,
                    text: configuration(["intermediate_size": 1 << 24]), format: .json, verdict: .refused),
                try workshop.seed(
                    "many-layers", file: "config.json", copying: origin,
                    text: configuration(["num_hidden_layers": 10_000]), format: .json, verdict: .refused),
            ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let encoder = try ModelFolder.loadEncoder(path: input.seed.folder)
        // What loads also computes.
        let lengths = [1, min(12, encoder.limits.longestSequence)]
        let batch = PackedBatch(
            lanes: lengths.map { length in
                let zeros = [Int32](repeating: 0, count: length)
                return [TokenSequence(tokens: zeros, types: zeros)]
            }, firstLane: 0, firstSlot: 0)
        guard encoder.hiddenStates(batch, pass: .inference).rows == lengths.reduce(0, +) else {
            throw BrokenPromise("hidden states of other rows than tokens")
        }
        guard !encoder.linears.isEmpty, encoder.hiddenWidth > 0 else {
            throw BrokenPromise("an encoder of width \(encoder.hiddenWidth) with nothing to adapt")
        }
    }
}
