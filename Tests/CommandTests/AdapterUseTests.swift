import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Adapters are used on from where they are", .serialized)
struct AdapterUseTests {
    /// A run of no movement on all samples at once: the first loss of its task is that of the network that it starts as.
    private static let still = [
        "optimizer.lr=0", "optimizer.warmup_steps=0", "adapter.lora_dropout=0", "dropout=0", "batch_size=40",
        "total_step=16", "adapter.tinit=1", "adapter.tfinal=8",
    ]

    private func firstLoss(_ job: TinyJob, _ output: String, _ settings: [String], processes: Int? = nil) async throws
        -> Double
    {
        let result = try await job.train(
            output, (Self.still + settings).flatMap { ["--set", $0] }, processes: processes)
        #expect(result.status == 0, "\(result.standardError)")
        return try #require(try job.metrics(output).first?["task_loss"] as? Double)
    }

    private func loss(_ job: TinyJob, _ adapter: String, _ more: String...) async throws -> Double {
        let result = try await rankwise(
            ["evaluate", "--json", "--adapter", adapter, "--data", job.path + "/train.tsv"] + more)
        #expect(result.status == 0, "\(result.standardError)")
        let json = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any]
        return try #require(json?["loss"] as? Double)
    }

    // The sums run over the samples in another order, in double precision, of logits in single precision.
    private static let tolerance = 2e-6

    @Test("a run starts as the network that a pruned run ended with, whatever its alpha, ranks and form")
    func trainingOn() async throws {
        let job = try TinyJob()
        #expect(try await job.train("first").status == 0)
        let expected = try await loss(job, job.path + "/first")
        let start = ["adapter.init=\(job.path)/first"]
        for (index, settings) in [
            [], ["adapter.lora_alpha=32"], ["adapter.init_r=6", "adapter.target_r=3"],
            ["method=lora", "adapter.form=ba", "adapter.lora_alpha=16"],
        ].enumerated() {
            let found = try await firstLoss(job, "next\(index)", start + settings)
            #expect(abs(found - expected) < Self.tolerance, "\(settings)")
        }
        let adapter = try await firstLoss(job, "adapter", ["adapter.init=\(job.path)/first/adapter"], processes: 2)
        #expect(abs(adapter - expected) < Self.tolerance)
        // It is another network than the one that a new run starts as.
        #expect(abs(try await firstLoss(job, "new", []) - expected) > 1e-3)
    }

    @Test("a start from the base's singular vectors can be trained on, with room for its triplets")
    func singularVectors() async throws {
        let job = try TinyJob()
        let first = try await job.train("first", "--set", "adapter.initialization=svd")
        #expect(first.status == 0, "\(first.standardError)")
        let expected = try await loss(job, job.path + "/first")
        let start = "adapter.init=\(job.path)/first"
        let narrow = try await job.train("narrow", "--set", start)
        #expect(narrow.status == 65)
        #expect(narrow.standardError.contains("set adapter.init_r to at least 8"), "\(narrow.standardError)")
        let found = try await firstLoss(job, "next", [start, "adapter.init_r=8"])
        #expect(abs(found - expected) < Self.tolerance)
    }

    @Test("shared modules start from a run that shared them, and the run can be resumed")
    func shared() async throws {
        let job = try TinyJob()
        let share = "adapter.share=[query, output.dense]"
        #expect(try await job.train("first", "--set", share).status == 0)
        let expected = try await loss(job, job.path + "/first")
        let found = try await firstLoss(job, "next", [share, "adapter.init=\(job.path)/first"])
        #expect(abs(found - expected) < Self.tolerance)
        let whole = try job.results("next")
        try job.truncate("next", toStep: 9, as: "cut")
        let resumed = try await job.train(
            "cut",
            (Self.still + [share, "adapter.init=\(job.path)/first"]).flatMap { ["--set", $0] } + ["--resume"],
            processes: 2)
        #expect(resumed.status == 0, "\(resumed.standardError)")
        #expect(try job.results("cut") == whole)
    }

    @Test("another base than that of the training is told of in one line, and the same in none")
    func anotherBase() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let (adapter, other) = (job.path + "/run", job.path + "/other")
        let manager = FileManager.default
        try manager.copyItem(atPath: Fixture.path("tiny-bert"), toPath: other)
        let data = ["--data", job.path + "/test.tsv"]
        let same = try await rankwise(["evaluate", "--adapter", adapter, "--model", other] + data)
        #expect(same.status == 0 && same.standardError.isEmpty, "\(same.standardError)")
        var weights = try Data(contentsOf: URL(fileURLWithPath: other + "/model.safetensors"))
        weights[weights.count - 3] ^= 1
        try weights.write(to: URL(fileURLWithPath: other + "/model.safetensors"))

        let commands = [
            ["predict", "--adapter", adapter, "--model", other],
            ["export", adapter, "--format", "merged", "--model", other, "--output", job.path + "/merged"],
        ]
        for command in commands {
            let result = try await rankwise(command, input: "a film\n")
            #expect(result.status == 0)
            expectOneLine(result, "\(other): not the files that \(adapter)/adapter was trained on (SHA-256 ")
        }
        let evaluated = try await rankwise(
            ["evaluate", "--adapter", adapter, "--model", other] + data, processes: 2)
        #expect(evaluated.status == 0)
        expectOneLine(evaluated, "\(other): not the files that")
        let trained = try await job.train(
            "next", "--set", "model=\(other)", "--set", "adapter.init=\(adapter)", processes: 2)
        #expect(trained.status == 0, "\(trained.standardError)")
        expectOneLine(trained, "\(other): not the files that")
    }

    private func expectOneLine(_ result: JobResult, _ text: String) {
        #expect(result.standardError.components(separatedBy: text).count == 2, "\(result.standardError)")
    }

    @Test("a run that is not finished has no adapter yet, and says so")
    func unfinished() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        try job.truncate("run", toStep: 9, as: "cut")
        let (cut, data) = (job.path + "/cut", job.path + "/test.tsv")
        for command in [
            ["inspect", cut], ["export", cut, "--format", "lora", "--output", job.path + "/lora"],
            ["evaluate", "--adapter", cut, "--data", data], ["predict", "--adapter", cut],
            ["predict", "--adapter", cut, "--images", data],
            ["train", "--config", job.configPath, "--set", "output=\(job.path)/next", "--set", "adapter.init=\(cut)"],
        ] {
            let result = try await rankwise(command, input: "a film\n")
            #expect(result.status == 66, "\(command) \(result.standardError)")
            #expect(
                result.standardError.contains("\(cut): the run is not finished") == true
                    && result.standardError.contains("continue it with --resume"), "\(result.standardError)")
        }
    }

    @Test("an adapter that starts from a part of the base is refused by every command that would use it")
    func partOfTheBase() async throws {
        let job = try TinyJob()
        let adapter = job.path + "/pissa"
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert-lora-patterns"), toPath: adapter)
        let configuration = try String(contentsOfFile: adapter + "/adapter_config.json", encoding: .utf8)
        let changed = configuration.replacing("\"init_lora_weights\": true", with: "\"init_lora_weights\": \"pissa\"")
        #expect(changed != configuration)
        try job.write(changed, to: "pissa/adapter_config.json")
        let model = ["--model", Fixture.path("tiny-bert")]
        for command in [
            ["inspect", adapter], ["predict", "--adapter", adapter] + model,
            ["export", adapter, "--format", "lora", "--output", job.path + "/lora"],
            ["export", adapter, "--format", "merged", "--output", job.path + "/merged"] + model,
            ["evaluate", "--adapter", adapter, "--data", job.path + "/test.tsv"] + model,
            ["train", "--config", job.configPath, "--set", "output=\(job.path)/n", "--set", "adapter.init=\(adapter)"],
        ] {
            let result = try await rankwise(command, input: "a film\n")
            #expect(result.status == 65, "\(command)")
            #expect(result.standardError.contains("init_lora_weights is pissa"), "\(result.standardError)")
        }
    }
}
