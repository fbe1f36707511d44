import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("The same bytes", .serialized)
struct EqualBytesTests {
    /// This machine's own BLAS kernels, and those of most other machines, which give a row's bits by its place.
    static let kernels = ["", "Haswell"]

    private func environment(_ kernel: String) -> [String: String] {
        kernel.isEmpty ? [:] : ["OPENBLAS_CORETYPE": kernel]
    }

    @Test("for any number of processes, with dropout", arguments: kernels)
    func processCounts(kernel: String) async throws {
        let job = try TinyJob()
        let alone = try await job.train("alone", environment: environment(kernel))
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        #expect(expected.count == 4)
        for processes in 1...4 {
            let result = try await job.train("p\(processes)", processes: processes, environment: environment(kernel))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
    }

    @Test(
        "for converted weights, which the processes of a machine share",
        arguments: ["tiny-bert-float16", "tiny-bert-bfloat16"])
    func convertedWeights(model: String) async throws {
        let job = try TinyJob(model: model)
        let alone = try await job.train("alone")
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        for processes in [2, 3] {
            let result = try await job.train("p\(processes)", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
    }

    @Test(
        "for any type of processor with AVX2, whatever is trained",
        arguments: [[], ["method=full"], ["method=lora"], ["adapter.compact_final=true"], ["base_quantization.bits=8"]])
    func processorTypes(settings: [String]) async throws {
        let job = try TinyJob()
        let options = settings.flatMap { ["--set", $0] }
        #expect(try await job.train("own", options).status == 0)
        let expected = try job.results("own")
        let environments = [
            ["RANKWISE_INSTRUCTIONS": "avx2"], ["OPENBLAS_CORETYPE": "Haswell"], ["OPENBLAS_CORETYPE": "Zen"],
            ["OPENBLAS_CORETYPE": "Prescott"],
        ]
        for (index, environment) in environments.enumerated() {
            let result = try await job.train("run\(index)", options, processes: index % 3 + 1, environment: environment)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("run\(index)") == expected, "\(environment)")
        }
    }

    @Test("a processor without fused arithmetic is refused, and instructions that are none")
    func otherProcessors() async throws {
        let job = try TinyJob()
        for (name, message) in [("portable", "needs a processor with AVX2"), ("avx1024", "expected avx2 or avx512")] {
            let result = try await job.train("run", environment: ["RANKWISE_INSTRUCTIONS": name])
            #expect(result.status == 64 && result.standardError.contains(message), "\(result.standardError)")
        }
    }

    @Test("wherever a run is interrupted, resumed on another number of processes", arguments: kernels)
    func resume(kernel: String) async throws {
        let job = try TinyJob()
        let whole = try await job.train("whole", processes: 2, environment: environment(kernel))
        #expect(whole.status == 0, "\(whole.standardError)")
        let expected = try job.results("whole")
        // Warm-up, before and after decisions, at the last decision, in the final phase.
        for (index, step) in [2, 6, 8, 16, 17, 21].enumerated() {
            let name = "resumed\(step)"
            try job.truncate("whole", toStep: step, as: name)
            let result = try await job.train(
                name, "--resume", processes: index % 4 + 1, environment: environment(kernel))
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardError.contains("resuming from step \(step)"))
            #expect(try job.results(name) == expected, "resumed from step \(step)")
        }
    }

    @Test("after kills at any moment")
    func kills() async throws {
        let job = try TinyJob()
        let whole = try await job.train("whole", processes: 2)
        #expect(whole.status == 0, "\(whole.standardError)")
        let executable = try builtExecutable(named: "rankwise")
        var finished = false
        for attempt in 0..<60 where !finished {
            let result = try await launchJob(
                executable: "/usr/bin/timeout",
                arguments: [
                    "--signal=KILL", String(format: "%.2f", 0.25 + 0.05 * Double(attempt)), executable, "train",
                    "--config", job.configPath, "--resume", "--set", "output=\(job.folder.path)/killed",
                ], processCount: nil)
            finished = result.status == 0
        }
        #expect(finished)
        #expect(try job.results("killed") == job.results("whole"))
    }

    @Test(
        "for a model trained in full, and for a new head alone; whole models that evaluate says the same of",
        arguments: ["full", "head"])
    func wholeModels(method: String) async throws {
        let job = try TinyJob(more: "method: \(method)")
        let alone = try await job.train("alone")
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        #expect(Set(expected.keys).isSuperset(of: ["config.json", "model.safetensors", "rankwise.json", "vocab.txt"]))
        for processes in 2...4 {
            let result = try await job.train("p\(processes)", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
        for (step, processes) in [(5, 3), (17, 2)] {
            try job.truncate("alone", toStep: step, as: "resumed\(step)")
            let result = try await job.train("resumed\(step)", "--resume", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("resumed\(step)") == expected, "resumed from step \(step)")
        }
        for folder in ["alone", "alone/model"] {
            let result = try await rankwise(
                "evaluate", "--adapter", job.path + "/" + folder, "--data", job.path + "/test.tsv", "--json")
            #expect(result.status == 0, "\(result.standardError)")
            let metrics = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any]
            let told = alone.standardError.split(separator: "loss ").last?.prefix { $0 != " " }
            #expect((metrics?["loss"] as? Double).map { String(format: "%.4f", $0) } == told.map(String.init))
        }
        let predicted = try await rankwise("predict", "--adapter", job.path + "/alone", input: "a fine film\n")
        #expect(predicted.status == 0 && predicted.standardOutput.contains("\"label\""), "\(predicted.standardError)")
        for command in [["inspect"], ["export", "--format", "merged", "--output", job.path + "/out"]] {
            let result = try await rankwise(command + [job.path + "/alone"])
            #expect(result.status == 64 && result.standardError.contains("a whole model without an adapter"))
        }
        let based = try await rankwise(
            "evaluate", "--adapter", job.path + "/alone", "--data", job.path + "/test.tsv", "--model", job.path)
        #expect(based.status == 64 && based.standardError.contains("leave --model out"))

        // It learns, and is a base like any other.
        let losses = try job.metrics("alone").compactMap { $0["task_loss"] as? Double }
        #expect(losses.count == 24)
        if method == "full" { #expect(losses.suffix(6).reduce(0, +) < losses.prefix(6).reduce(0, +)) }
        let adapted = try await job.train(
            "adapted", "--set", "method=adalora", "--set", "model=\(job.path)/alone/model")
        #expect(adapted.status == 0, "\(adapted.standardError)")
        // Merged, it is a whole model that gives the adapter's numbers.
        let merged = try await rankwise(
            "export", job.path + "/adapted", "--format", "merged", "--output", job.path + "/merged")
        #expect(merged.status == 0, "\(merged.standardError)")
        var mergedLosses: [Double] = []
        for folder in ["adapted", "merged"] {
            let result = try await rankwise(
                "evaluate", "--adapter", job.path + "/" + folder, "--data", job.path + "/test.tsv", "--json")
            let metrics = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any]
            mergedLosses.append(try #require(metrics?["loss"] as? Double))
        }
        #expect(abs(mergedLosses[0] - mergedLosses[1]) < 1e-5)
    }

    @Test("a damaged whole model is refused, and one whose logits are not finite says so")
    func damagedModels() async throws {
        let job = try TinyJob(more: "method: full")
        #expect(try await job.train("run", "--set", "optimizer.warmup_steps=0", "--set", "total_step=2").status == 0)
        let model = URL(fileURLWithPath: job.path + "/run/model/model.safetensors")
        let whole = try Data(contentsOf: model)
        var damaged = whole
        damaged[damaged.count - 100] ^= 0x40
        try damaged.write(to: model)
        func evaluate() async throws -> JobResult {
            try await rankwise("evaluate", "--adapter", job.path + "/run", "--data", job.path + "/test.tsv")
        }
        let refused = try await evaluate()
        #expect(refused.status == 65 && refused.standardError.contains("SHA-256"), "\(refused.standardError)")
        try whole.write(to: model)
        #expect(try await evaluate().status == 0)

        let diverged = try await job.train(
            "diverged", "--set", "optimizer.lr=1e30", "--set", "optimizer.warmup_steps=0", "--set",
            "max_skipped_steps=100")
        #expect(
            diverged.status == 65 && diverged.standardError.contains("the loss is not finite"),
            "\(diverged.standardError)")
    }

    @Test("a configuration that claims more than the model has takes no memory for it")
    func hugeClaims() async throws {
        let job = try TinyJob(more: "method: full")
        let model = job.path + "/claims"
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert"), toPath: model)
        let path = model + "/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("\"vocab_size\": 104", with: "\"vocab_size\": 16777216").utf8)
            .write(to: URL(fileURLWithPath: path))
        let result = try await job.train("run", "--set", "model=\(model)")
        #expect(result.status == 65 && result.standardError.contains("has shape"), "\(result.standardError)")
    }

    @Test("what of adapters means nothing to a run without them is refused", arguments: ["full", "head"])
    func settingsOfAdapters(method: String) async throws {
        let job = try TinyJob(more: "method: \(method)")
        for setting in [
            "adapter.init=/nowhere", "adapter.share=[key]", "adapter.initialization=svd", "adapter.form=ba",
            "adapter.normalize=unit", "adapter.max_spectral_norm=1", "optimizer.weight_decay_vectors=0.1",
            "base_quantization.bits=8",
        ] {
            let result = try await job.train("run", "--dry-run", "--set", setting)
            let key = setting.prefix { $0 != "=" }
            #expect(
                result.status == 64 && result.standardError.contains("\(key) is"), "\(setting): \(result.standardError)"
            )
        }
    }

    @Test("for a regression on pairs of texts in JSON Lines, and its evaluation on any number of processes")
    func regression() async throws {
        let job = try TinyJob(more: "task: regression\nseed: 3")
        let lines = TinyJob.lines.enumerated().map { index, line in
            "{\"a\": \"\(line.text)\", \"b\": \"the end\", \"y\": \(Double(index % 7) / 3 - 1)}"
        }
        try job.write(lines.joined(separator: "\n") + "\n", to: "pairs.jsonl")
        let data = job.folder.path + "/pairs.jsonl"
        let columns = [
            "data.train=\(data)", "data.test=\(data)", "data.text=a", "data.text_pair=b", "data.label=y",
        ].flatMap { ["--set", $0] }
        var reference: [String: Data]?
        for processes in [1, 3] {
            let result = try await rankwise(
                ["train", "--config", job.configPath, "--set", "output=\(job.folder.path)/r\(processes)"] + columns,
                processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            let results = try job.results("r\(processes)")
            #expect(reference == nil || reference == results)
            reference = results
        }
        var outputs: Set<String> = []
        for processes in 1...3 {
            let result = try await rankwise(
                "evaluate", "--adapter", job.folder.path + "/r1", "--data", data, "--json", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            outputs.insert(result.standardOutput)
        }
        #expect(outputs.count == 1)
        #expect(outputs.first?.contains("\"pearson\"") == true)
    }
}
