import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors
import Testing

/// bert-base-uncased's own file: `bert.` before every name, LayerNorm.gamma and .beta, tensors of the pretraining's heads.
@Suite("A model laid out as bert-base-uncased is", .serialized)
struct PublishedLayoutTests {
    private let texts = ["a good film", "the worst story", ""]

    private static func published(_ name: String) -> String {
        let name = name.hasPrefix("bert.") || name.hasPrefix("classifier") ? name : "bert." + name
        return name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
            .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
    }

    private let pretraining = [
        TensorToWrite(name: "cls.predictions.bias", shape: [104], values: .init(repeating: 0, count: 104))
    ]

    @Test("trains to the same adapter, which predicts, merges and goes on with either")
    func adapter() async throws {
        let job = try TinyJob()
        let tiny = Fixture.path("tiny-bert")
        let model = try job.copyModel(tiny, to: "published", more: pretraining, Self.published)
        for (output, settings) in [("usual", []), ("published-run", ["--set", "model=\(model)"])] {
            let result = try await job.train(output, settings)
            #expect(result.status == 0, "\(result.standardError)")
        }
        #expect(try job.weights(ofAdapter: "published-run") == job.weights(ofAdapter: "usual"))

        let run = job.path + "/usual"
        let expected = try await predictions("--adapter", run, texts: texts)
        #expect(expected.count == 3)
        #expect(try await predictions("--adapter", run, "--model", model, texts: texts) == expected)
        let merged = job.path + "/merged"
        let export = try await rankwise("export", run, "--format", "merged", "--model", model, "--output", merged)
        #expect(export.status == 0, "\(export.standardError)")
        // A product of three matrices is rounded once where the adapter has it rounded in between.
        for (logits, same) in zip(try await predictions("--adapter", merged, texts: texts), expected) {
            for (logit, same) in zip(logits, same) { #expect(abs(logit - same) < 1e-6) }
        }
        let names = try SafetensorsFile(path: merged + "/model.safetensors").tensorNames
        #expect(names.contains("bert.embeddings.LayerNorm.weight") && names.allSatisfy { !$0.hasSuffix("gamma") })
    }

    @Test("trains in full to the same weights, and its difference to either is the same adapter")
    func full() async throws {
        let job = try TinyJob()
        let tiny = Fixture.path("tiny-bert")
        let model = try job.copyModel(tiny, to: "published", Self.published)
        try job.edit(job.configPath) { $0.replacing(/adapter:.*\n/, with: "") }
        for (output, base) in [("usual", tiny), ("published-run", model)] {
            let result = try await job.train(output, "--set", "method=full", "--set", "model=\(base)")
            #expect(result.status == 0, "\(result.standardError)")
        }
        let weights = ["usual", "published-run"].map {
            FileManager.default.contents(atPath: "\(job.path)/\($0)/model/model.safetensors")
        }
        #expect(weights[0] != nil && weights[0] == weights[1])
        var adapters: [Data] = []
        for (index, base) in [tiny, model].enumerated() {
            let output = "\(job.path)/extracted-\(index)"
            let result = try await rankwise(
                "extract", "--base", base, "--tuned", job.path + "/usual/model", "--budget", "24", "--output", output)
            #expect(result.status == 0, "\(result.standardError)")
            adapters.append(
                try Data(contentsOf: URL(fileURLWithPath: output + "/adapter_model.safetensors")))
        }
        #expect(adapters[0] == adapters[1])
    }

    @Test("predicts as a whole model")
    func wholeModel() async throws {
        let job = try TinyJob()
        let classifier = Fixture.path("tiny-bert-classifier")
        let model = try job.copyModel(classifier, to: "published", more: pretraining, Self.published)
        let expected = try await predictions("--adapter", classifier, texts: texts)
        #expect(expected.count == 3)
        #expect(try await predictions("--adapter", model, texts: texts) == expected)
    }
}
