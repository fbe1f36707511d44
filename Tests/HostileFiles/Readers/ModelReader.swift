import Foundation
import LinearAlgebra
import Models

/// A model folder as training reads it: its configuration and its weights.
struct ModelReader: FileReader {
    static let name = "model"
    static let share = 8

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
        seeds = [
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
        guard !encoder.linears.isEmpty, encoder.hiddenWidth > 0 else {
            throw BrokenPromise("an encoder of width \(encoder.hiddenWidth) with nothing to adapt")
        }
    }
}
