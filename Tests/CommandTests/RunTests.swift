import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("A run", .serialized)
struct RunTests {
    @Test("leaves metrics of every step, a summary, checkpoints and an adapter with exactly the budget's triplets")
    func results() async throws {
        let job = try TinyJob()
        let result = try await job.train("run", "--set", "checkpoint.keep=2", processes: 2)
        #expect(result.status == 0, "\(result.standardError)")
        let metrics = try job.metrics("run")
        #expect(metrics.compactMap { $0["step"] as? Int } == Array(0..<24))
        for key in ["task_loss", "loss", "lr", "grad_norm", "budget", "active", "tokens", "step_seconds"] {
            #expect(metrics.allSatisfy { $0[key] is NSNumber }, "\(key)")
        }
        #expect(metrics.filter { $0["threshold"] != nil }.compactMap { $0["step"] as? Int } == [6, 9, 12, 15, 16])
        #expect(metrics.last?["active"] as? Int == 24)
        #expect(metrics.first?["budget"] as? Int == 48)
        let summary =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: job.folder.path + "/run/summary.json"))) as? [String: Any]
        #expect(summary?["steps"] as? Int == 24)
        #expect(summary?["total_rank"] as? Int == 24)
        #expect((summary?["metrics"] as? [String: Any])?["test"] != nil)
        let checkpoints = try FileManager.default.contentsOfDirectory(atPath: job.folder.path + "/run/checkpoints")
        #expect(checkpoints.sorted() == ["step-00000023", "step-00000024"])
        let verified = try await rankwise("checkpoint", "verify", job.folder.path + "/run")
        #expect(verified.status == 0)
        let inspected = try await rankwise("inspect", job.folder.path + "/run", "--json")
        #expect(inspected.standardOutput.contains("\"total_rank\":24"))
    }

    @Test("is not overwritten unless that is asked for, and then touches nothing that is not its own")
    func overwriting() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let again = try await job.train("run")
        #expect(again.status == 64)
        #expect(again.standardError.contains("--resume") && again.standardError.contains("--overwrite"))
        try job.write("mine", to: "run/notes.txt")
        #expect(try await job.train("run", "--overwrite").status == 0)
        #expect(FileManager.default.fileExists(atPath: job.folder.path + "/run/notes.txt"))
        let complete = try await job.train("run", "--resume")
        #expect(complete.status == 0)
        #expect(complete.standardError.contains("complete"))
    }

    @Test("is not resumed with another configuration, model or data, and says what differs")
    func differences() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let keys = try await job.train("run", "--resume", "--set", "adapter.target_r=1", "--set", "seed=9")
        #expect(keys.status == 64)
        #expect(keys.standardError.contains("adapter.target_r is 1, was 2"))
        #expect(keys.standardError.contains("seed is 9, was 0"))
        let model = try await job.train("run", "--resume", "--set", "model=\(Fixture.path("tiny-bert-float16"))")
        #expect(model.status == 64)
        #expect(model.standardError.contains("the model"))
        try job.write(TinyJob.table(TinyJob.lines.reversed()), to: "train.tsv")
        let data = try await job.train("run", "--resume")
        #expect(data.status == 64)
        #expect(data.standardError.contains("the training data"))
    }

    @Test("passes over a damaged checkpoint, and refuses if none is valid")
    func damage() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run", "--set", "checkpoint.keep=2").status == 0)
        let expected = try job.results("run")
        let run = job.folder.path + "/run"
        for name in ["adapter", "summary.json"] { try FileManager.default.removeItem(atPath: run + "/" + name) }
        func damage(_ checkpoint: String) throws {
            let path = "\(run)/checkpoints/\(checkpoint)/shard-00000.safetensors"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        try damage("step-00000024")
        let resumed = try await job.train("run", "--resume", "--set", "checkpoint.keep=2")
        #expect(resumed.status == 0)
        #expect(resumed.standardError.contains("damaged"))
        #expect(try job.results("run") == expected)
        #expect(try await rankwise("checkpoint", "verify", run).status == 0)
        for name in ["step-00000023", "step-00000024"] { try damage(name) }
        #expect(try await rankwise("checkpoint", "verify", run).status == 65)
        try FileManager.default.removeItem(atPath: run + "/summary.json")
        let refused = try await job.train("run", "--resume")
        #expect(refused.status == 65)
        #expect(refused.standardError.contains("nothing was deleted"))
    }

    @Test("with --dry-run shows the plan and writes nothing")
    func dryRun() async throws {
        let job = try TinyJob()
        let result = try await job.train("run", "--dry-run", processes: 2)
        #expect(result.status == 0)
        for text in ["init_r: 4", "triplets: 48 in 12 modules, 24 stay", "process 1: lanes 2..<5", "checkpoint:"] {
            #expect(result.standardOutput.contains(text), "\(text)")
        }
        #expect(!FileManager.default.fileExists(atPath: job.folder.path + "/run"))
    }

    @Test("with a budget of all triplets masks nothing")
    func fullBudget() async throws {
        let job = try TinyJob()
        let result = try await job.train("run", "--set", "adapter.target_r=4")
        #expect(result.status == 0, "\(result.standardError)")
        #expect(try job.metrics("run").last?["active"] as? Int == 48)
    }
}

@Suite("Predictions and exports", .serialized)
struct PredictionTests {
    @Test("a prediction has label, scores and logits, and does not depend on the other lines")
    func predictions() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let run = job.folder.path + "/run"
        let texts = TinyJob.lines.map(\.text)
        let all = try await rankwise(
            "predict", "--adapter", run, input: texts.joined(separator: "\n") + "\n")
        let lines = all.standardOutput.split(separator: "\n")
        #expect(lines.count == texts.count)
        for index in [0, 7, 39] {
            let alone = try await rankwise(
                "predict", "--adapter", run, input: "{\"text\": \"\(texts[index])\"}\n")
            #expect(alone.standardOutput == lines[index] + "\n")
        }
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        let scores = try #require(object["scores"] as? [Double])
        #expect(abs(scores.reduce(0, +) - 1) < 1e-12)
        #expect(["bad", "good"].contains(object["label"] as? String))
        #expect((object["logits"] as? [Double])?.count == 2)
    }

    @Test("every export computes what the adapter computes", arguments: ["adalora", "lora", "lora-padded"])
    func exports(format: String) async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let output = job.folder.path + "/" + format
        let export = try await rankwise(
            "export", job.folder.path + "/run", "--format", format, "--output", output)
        #expect(export.status == 0, "\(export.standardError)")
        let input = TinyJob.lines.prefix(5).map { $0.text + "\n" }.joined()
        func logits(_ adapter: String) async throws -> [[Double]] {
            let result = try await rankwise("predict", "--adapter", adapter, input: input)
            return try result.standardOutput.split(separator: "\n").map {
                let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                return object?["logits"] as? [Double] ?? []
            }
        }
        let expected = try await logits(job.folder.path + "/run")
        let found = try await logits(output)
        #expect(expected.count == 5)
        for (a, b) in zip(expected.joined(), found.joined()) { #expect(abs(a - b) < 1e-5) }
        let again = try await rankwise(
            "export", job.folder.path + "/run", "--format", format, "--output", output)
        #expect(again.status == 64)
    }
}
