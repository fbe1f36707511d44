import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors
import Testing

/// As BertForMaskedLM and others save it: `bert.` before every name, and no pooler.
@Suite("A base without a pooler", .serialized)
struct MissingPoolerTests {
    private let job: TinyJob
    private let base: String
    private let texts = ["a good film", "the worst story", ""]

    init() throws {
        job = try TinyJob()
        base = try job.copyModel(Fixture.path("tiny-bert"), to: "base") { $0.contains("pooler") ? nil : "bert." + $0 }
    }

    private func logits(_ arguments: String...) async throws -> [[Double]] {
        let all = try await predictions("--adapter", arguments[0], "--model", arguments.last ?? base, texts: texts)
        #expect(all.count == texts.count)
        return all
    }

    @Test("gets a new one from the seed: told, trained, saved, the same bytes on any processes and through restarts")
    func bytes() async throws {
        let settings = ["--set", "model=\(base)"]
        let alone = try await job.train("alone", settings)
        #expect(alone.status == 0, "\(alone.standardError)")
        #expect(alone.standardError.contains("has no 'bert.pooler.dense'; a new one is drawn from the seed"))
        let expected = try job.results("alone")
        for processes in [2, 4] {
            let result = try await job.train("p\(processes)", settings, processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
        for step in [3, 12, 20] {
            try job.truncate("alone", toStep: step, as: "again-\(step)")
            let result = try await job.train("again-\(step)", settings + ["--resume"], processes: 3)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("again-\(step)") == expected, "from step \(step)")
        }

        let file = try SafetensorsFile(path: job.path + "/alone/adapter/adapter_model.safetensors")
        let name = "base_model.model.bert.pooler.dense"
        let weight = try file.floats(of: name + ".weight", shape: [32, 32])
        let deviation = (weight.reduce(0) { $0 + $1 * $1 } / Float(weight.count)).squareRoot()
        // 0.02 at the start, of 1,024 numbers; training with a rate of 0.01 has moved them.
        #expect((0.015...0.1).contains(deviation))
        #expect(try file.floats(of: name + ".bias", shape: [32]).contains { $0 != 0 })
        let other = try await job.train("other", settings + ["--set", "seed=5"])
        #expect(other.status == 0)
        #expect(try job.weights(ofAdapter: "other") != job.weights(ofAdapter: "alone"))
    }

    @Test("comes with the adapter: on a base with another pooler, in every export, and where training goes on")
    func adapter() async throws {
        let result = try await job.train("run", "--set", "model=\(base)")
        #expect(result.status == 0, "\(result.standardError)")
        let run = job.path + "/run"
        let expected = try await logits(run, base)
        #expect(try await logits(run, Fixture.path("tiny-bert")) == expected)
        for (format, model) in [("lora", base), ("merged", base), ("merged", Fixture.path("tiny-bert"))] {
            let output = "\(job.path)/\(UUID().uuidString)"
            let export = try await rankwise(
                "export", run, "--format", format, "--model", model, "--output", output)
            #expect(export.status == 0, "\(export.standardError)")
            let found =
                format == "merged"
                ? try await predictions("--adapter", output, texts: texts) : try await logits(output, base)
            #expect(found.count == expected.count)
            // Factors and sums are rounded in another order.
            for (logits, same) in zip(found, expected) {
                for (logit, same) in zip(logits, same) { #expect(abs(logit - same) < 1e-6) }
            }
        }
        // Without a step that changes anything, what goes on is what it started as.
        let onward = try await job.train(
            "onward", "--set", "model=\(base)", "--set", "method=lora", "--set",
            "adapter.init=\(job.path)/unpruned",
            "--set", "optimizer.lr=0", "--set", "adapter.lora_dropout=0")
        #expect(onward.status == 66)
        let unpruned = try await job.train("unpruned", "--set", "model=\(base)", "--set", "method=lora")
        #expect(unpruned.status == 0, "\(unpruned.standardError)")
        let again = try await job.train(
            "onward", "--set", "model=\(base)", "--set", "method=lora", "--set",
            "adapter.init=\(job.path)/unpruned",
            "--set", "optimizer.lr=0", "--set", "adapter.lora_dropout=0", "--overwrite")
        #expect(again.status == 0, "\(again.standardError)")
        #expect(!again.standardError.contains("a new one is drawn"))
        #expect(try job.weights(ofAdapter: "onward") == job.weights(ofAdapter: "unpruned"))
    }

    @Test(
        "is trained with a head alone and in full, and stands in the model that these leave",
        arguments: ["head", "full"])
    func wholeModels(method: String) async throws {
        try job.edit(job.configPath) { $0.replacing(/adapter:.*\n/, with: "") }
        let result = try await job.train("run", "--set", "model=\(base)", "--set", "method=\(method)")
        #expect(result.status == 0, "\(result.standardError)")
        let model = try SafetensorsFile(path: job.path + "/run/model/model.safetensors")
        let weight = try model.floats(of: "bert.pooler.dense.weight", shape: [32, 32])
        #expect(weight.contains { $0 != 0 })
        #expect(try await predictions("--adapter", job.path + "/run", texts: texts).count == texts.count)
        if method == "full" {
            let output = job.path + "/extracted"
            let extract = try await rankwise(
                "extract", "--base", base, "--tuned", job.path + "/run/model", "--budget", "20", "--output", output)
            #expect(extract.status == 0, "\(extract.standardError)")
            let file = try SafetensorsFile(path: output + "/adapter_model.safetensors")
            #expect(try file.floats(of: "base_model.model.bert.pooler.dense.weight", shape: [32, 32]) == weight)
            #expect(try await logits(output, base).count == texts.count)
        }
    }

    @Test("is refused where nothing brings one: an adapter of another base, a merge, a whole model")
    func refused() async throws {
        let adapter = Fixture.path("tiny-bert-adapter")
        let evaluate = try await rankwise("predict", "--adapter", adapter, "--model", base, input: "a\n")
        #expect(evaluate.status == 65)
        #expect(evaluate.standardError.contains("no tensor 'bert.pooler.dense.weight', and \(adapter) brings none"))
        let output = job.path + "/merged"
        let export = try await rankwise(
            "export", adapter, "--format", "merged", "--model", base, "--output", output)
        #expect(export.status == 65)
        #expect(export.standardError.contains("the adapter brings none"))
        #expect(!FileManager.default.fileExists(atPath: output))
        let whole = try job.copyModel(Fixture.path("tiny-bert-classifier"), to: "whole") {
            $0.contains("pooler") ? nil : $0
        }
        let predict = try await rankwise("predict", "--adapter", whole, input: "a\n")
        #expect(predict.status == 65)
        #expect(predict.standardError.contains("\(whole): no tensor 'bert.pooler.dense.weight'"))
    }

    @Test("is not adapted as well: target_modules that name nothing else are refused")
    func nothingElse() async throws {
        let result = try await job.train(
            "run", "--set", "model=\(base)", "--set", "adapter.target_modules=[pooler.dense]")
        #expect(result.status == 64)
        #expect(result.standardError.contains("'bert.pooler.dense' alone"), "\(result.standardError)")
        let both = try await job.train(
            "both", "--set", "model=\(base)", "--set", "adapter.target_modules=[dense]", "--set",
            "adapter.compact_final=true")
        #expect(both.status == 0, "\(both.standardError)")
        let names = try SafetensorsFile(path: job.path + "/both/adapter/adapter_model.safetensors").tensorNames
        let prefix = "base_model.model.bert.pooler."
        #expect(
            Set(names.filter { $0.contains("pooler") }) == [prefix + "dense.weight", prefix + "dense.bias"])
        #expect(names.contains { $0.hasSuffix("attention.output.dense.lora_A") })
        #expect(try await logits(job.path + "/both", base).count == texts.count)
    }

    /// See Tests/goldens/make_pooler_goldens.py.
    @Test("an adapter of PEFT's that saves its pooler gives PEFT's logits, whether the base has one or not")
    func peft() async throws {
        struct Golden: Decodable {
            let texts: [String]
            let logits: [[Double]]
        }
        let golden = try Fixture.json("tiny-bert-pooler-golden.json", as: Golden.self)
        for model in [Fixture.path("tiny-bert"), base] {
            let found = try await predictions(
                "--adapter", Fixture.path("tiny-bert-pooler-adapter"), "--model", model, texts: golden.texts)
            #expect(found.count == golden.logits.count)
            for (logits, expected) in zip(found, golden.logits) {
                // Two programs in single precision.
                for (logit, expected) in zip(logits, expected) { #expect(abs(logit - expected) < 1e-5) }
            }
        }
    }
}
