import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Data files as users have them", .serialized)
struct DataFileTests {
    @Test(
        "a split that cannot be evaluated is refused before the first step, and in a dry run",
        arguments: ["validation", "test"])
    func badSplits(split: String) async throws {
        let job = try TinyJob()
        try job.write("text\tlabel\na film\tgood\na film\t-1\n", to: "unknown.tsv")
        try job.write("text\na film\n", to: "unlabelled.tsv")
        try job.write("", to: "empty.tsv")
        for (name, status, message) in [
            ("unknown.tsv", Int32(65), "unknown.tsv:3: the label \"-1\""),
            ("unlabelled.tsv", 65, "no column \"label\""),
            ("empty.tsv", 65, "empty.tsv"), ("missing.tsv", 66, "missing.tsv: no such file"),
        ] {
            for more in [[], ["--dry-run"]] {
                let result = try await job.train(
                    "run", ["--set", "data.\(split)=\(job.path)/\(name)"] + more, processes: more.isEmpty ? 2 : 1)
                #expect(result.status == status, "\(name): \(result.standardError)")
                #expect(result.standardError.contains(message), "\(result.standardError)")
                #expect(!FileManager.default.fileExists(atPath: job.path + "/run/metrics.jsonl"))
            }
        }
    }

    @Test("a split that goes bad during the run does not cost the adapter, and the run is not complete")
    func lateFailure() async throws {
        let job = try TinyJob()
        let spoiled = Task {
            while !FileManager.default.fileExists(atPath: job.path + "/run/metrics.jsonl") {
                try await Task.sleep(for: .milliseconds(5))
            }
            try job.write("text\tlabel\na film\tsplendid\n", to: "test.tsv")
        }
        let result = try await job.train("run", "--set", "total_step=200", "--set", "checkpoint.every=100")
        spoiled.cancel()
        #expect(result.status == 65 && result.standardError.contains("test.tsv:2"), "\(result.standardError)")
        #expect(result.standardError.contains("adapter: \(job.path)/run/adapter"))
        #expect(FileManager.default.fileExists(atPath: job.path + "/run/adapter/adapter_model.safetensors"))
        #expect(!FileManager.default.fileExists(atPath: job.path + "/run/summary.json"))
        try job.write(TinyJob.table(Array(TinyJob.lines.prefix(13))), to: "test.tsv")
        let resumed = try await job.train(
            "run", "--set", "total_step=200", "--set", "checkpoint.every=100", "--resume")
        #expect(resumed.status == 0, "\(resumed.standardError)")
        #expect(FileManager.default.fileExists(atPath: job.path + "/run/summary.json"))
    }

    @Test("an earlier run is not removed before all that the new one reads is found good")
    func lateOverwriting() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run", "--set", "total_step=20").status == 0)
        let refused = try await job.train("run", "--overwrite", "--set", "data.train=\(job.path)/missing.tsv")
        #expect(refused.status == 66)
        for name in ["summary.json", "adapter/adapter_model.safetensors", "metrics.jsonl"] {
            #expect(FileManager.default.fileExists(atPath: job.path + "/run/" + name), "\(name)")
        }
    }

    @Test("processes that see another number of samples under the same name are refused")
    func differentData() async throws {
        let job = try TinyJob()
        // The path is relative to where each process is.
        for (process, count) in [(0, 40), (1, 39)] {
            try FileManager.default.createDirectory(
                atPath: job.path + "/host\(process)", withIntermediateDirectories: true)
            try job.write(TinyJob.table(Array(TinyJob.lines.prefix(count))), to: "host\(process)/here.tsv")
        }
        let result = try await launchJob(
            executable: "/bin/sh",
            arguments: [
                "-c",
                "cd \(job.path)/host$OMPI_COMM_WORLD_RANK && exec \(try builtExecutable(named: "rankwise")) train --config "
                    + "\(job.configPath) --set data.train=here.tsv --set data.test=null",
            ], processCount: 2)
        #expect(result.status == 64, "\(result.standardError)")
        #expect(result.standardError.contains("process 1 reads 39 rows"), "\(result.standardError)")
    }

    @Test("blank lines are no samples in any format")
    func blankLines() async throws {
        let job = try TinyJob()
        let rows = TinyJob.lines
        func blank(_ lines: [String]) -> String {
            (lines.prefix(2) + [""] + lines[2..<4] + ["  "] + lines[4...]).joined(separator: "\n") + "\n"
        }
        try job.write(blank(["text\tlabel"] + rows.map { "\($0.text)\t\($0.label)" }), to: "b.tsv")
        try job.write(blank(["text,label"] + rows.map { "\($0.text),\($0.label)" }), to: "b.csv")
        try job.write(blank(rows.map { "{\"text\": \"\($0.text)\", \"label\": \"\($0.label)\"}" }), to: "b.jsonl")
        for name in ["b.tsv", "b.csv", "b.jsonl"] {
            let result = try await job.train("run", "--dry-run", "--set", "data.train=\(job.path)/\(name)")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardOutput.contains("# training samples: \(rows.count),"), "\(name)")
        }
    }

    @Test(
        "what looks like a mistake is told in one line: quotes in TSV, classes without samples, a class for each sample"
    )
    func remarks() async throws {
        let job = try TinyJob()
        let quoted = TinyJob.table(TinyJob.lines + [("\"a \"\"fine\"\" film\"", "good")])
        let many = TinyJob.table(TinyJob.lines.enumerated().map { ($1.text, "n\($0)") })
        for (name, contents, message) in [
            ("quoted.tsv", quoted, "quoted.tsv:42: the cell stands in quotes"),
            ("stars.tsv", "text\tlabel\na\t1\nb\t2\n", "go up to 2, but 2 of the 3 classes occur"),
            ("many.tsv", many, "40 classes among 40 samples"),
        ] {
            try job.write(contents, to: name)
            let settings = ["data.train=\(job.path)/\(name)", "data.test=null", "total_step=20", "batch_size=5"]
                .flatMap { ["--set", $0] }
            let result = try await job.train("run-\(name)", settings, processes: 2)
            #expect(result.status == 0, "\(result.standardError)")
            let told = result.standardError.split(separator: "\n").filter { $0.contains(message) }
            #expect(told.count == 1, "\(result.standardError)")
            let dry = try await job.train("dry", settings + ["--dry-run"])
            #expect(dry.standardOutput.contains(message))
        }
    }

    @Test("data with one class, and a pipe, are refused in one line")
    func refusals() async throws {
        let job = try TinyJob()
        try job.write("text\tlabel\na\tgood\nb\tgood\n", to: "one.tsv")
        #expect(mkfifo(job.path + "/pipe.tsv", 0o600) == 0)
        for (name, message) in [("one.tsv", "at least two classes"), ("pipe.tsv", "expected a regular file")] {
            let result = try await job.train("run", "--set", "data.train=\(job.path)/\(name)")
            #expect(result.status == 65, "\(result.standardError)")
            #expect(result.standardError.contains(message), "\(result.standardError)")
        }
    }

    @Test("evaluate tells of quotes in TSV, and counts the F1 of the classes that occur")
    func evaluation() async throws {
        let job = try TinyJob()
        try job.write("text\tlabel\n" + (0..<8).map { "film \($0)\t\(1 + $0 % 2)\n" }.joined(), to: "stars.tsv")
        let settings = ["data.train=\(job.path)/stars.tsv", "data.test=null", "total_step=20", "batch_size=8"]
        #expect(try await job.train("run", settings.flatMap { ["--set", $0] }).status == 0)
        // One sample, which is right or wrong: F1 and accuracy are both 1, or both 0.
        try job.write("text\tlabel\n\"a \"\"fine\"\" film\"\t1\n", to: "one.tsv")
        let result = try await rankwise(
            "evaluate", "--adapter", job.path + "/run", "--data", job.path + "/one.tsv", "--json", processes: 2)
        #expect(result.status == 0, "\(result.standardError)")
        #expect(result.standardError.split(separator: "\n").filter { $0.contains("stands in quotes") }.count == 1)
        let metrics = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any]
        #expect(metrics?["f1"] as? Double == metrics?["accuracy"] as? Double)
    }
}
