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
        let export = try await rankwise(
            "export", job.path + "/alone", "--format", "merged", "--output", job.path + "/out")
        #expect(export.status == 64 && export.standardError.contains("nothing to export"))
        // It learns, and is a base like any other.
        let losses = try job.metrics("alone").compactMap { $0["task_loss"] as? Double }
        #expect(losses.count == 24)
        if method == "full" { #expect(losses.suffix(6).reduce(0, +) < losses.prefix(6).reduce(0, +)) }
        let adapted = try await job.train(
            "adapted", "--set", "method=adalora", "--set", "model=\(job.path)/alone/model")
        #expect(adapted.status == 0, "\(adapted.standardError)")
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
