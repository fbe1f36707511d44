import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("The output folder", .serialized)
struct OutputFolderTests {
    private let manager = FileManager.default

    private func digest(_ folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try manager.subpathsOfDirectory(atPath: folder) {
            if let data = manager.contents(atPath: folder + "/" + name) { files[name] = data }
        }
        return files
    }

    @Test("--overwrite removes no model that the run reads, wherever a link leads")
    func inputs() async throws {
        let job = try TinyJob(more: "method: full")
        #expect(try await job.train("run").status == 0)
        let before = try digest(job.path + "/run")
        try manager.createSymbolicLink(atPath: job.path + "/link", withDestinationPath: job.path + "/run")
        for model in ["run/model", "link/model"] {
            let result = try await job.train("run", "--overwrite", "--set", "model=\(job.path)/\(model)")
            #expect(result.status == 64 && result.standardError.contains("model is"), "\(result.standardError)")
            #expect(try digest(job.path + "/run") == before)
        }
        let adapted = try await job.train(
            "adapted", "--set", "method=adalora", "--set", "model=\(job.path)/run/model")
        #expect(adapted.status == 0, "\(adapted.standardError)")
        let start = try await job.train(
            "adapted", "--overwrite", "--set", "method=adalora", "--set", "model=\(job.path)/run/model", "--set",
            "adapter.init=\(job.path)/adapted/adapter")
        #expect(start.status == 64 && start.standardError.contains("adapter.init is"), "\(start.standardError)")
        #expect(manager.fileExists(atPath: job.path + "/adapted/adapter/adapter_model.safetensors"))
    }

    @Test("a user's files in it stay, whatever they are called, also where a run replaces what it wrote")
    func foreignFiles() async throws {
        let job = try TinyJob()
        let mine = [
            "model-old.partial", "metrics-2024.partial", "adapterX.replaced", "notes.txt", "adapter/notes.txt",
            "checkpoints/train.tsv", "step-1.partial", "summary.json.partial",
        ]
        // Some before the first run, some between two.
        try manager.createDirectory(atPath: job.path + "/run/checkpoints", withIntermediateDirectories: true)
        for name in mine where !name.hasPrefix("adapter/") { try job.write("mine \(name)", to: "run/" + name) }
        let first = try await job.train("run")
        #expect(first.status == 0, "\(first.standardError)")
        try job.write("mine adapter/notes.txt", to: "run/adapter/notes.txt")
        let second = try await job.train("run", "--overwrite")
        #expect(second.status == 0, "\(second.standardError)")
        for name in mine {
            #expect(manager.contents(atPath: job.path + "/run/" + name) == Data("mine \(name)".utf8), "\(name)")
        }
        #expect(
            try manager.contentsOfDirectory(atPath: job.path + "/run/adapter").sorted()
                == ["adapter_config.json", "adapter_model.safetensors", "notes.txt", "rankwise.json"])
    }

    @Test("what a run would write over and no run wrote is in the way")
    func inTheWay() async throws {
        let job = try TinyJob()
        let user = [
            "config.yaml": "mine: true\n", "adapter/adapter_config.json": "{}", "summary.json": "{\"mine\": 1}",
        ]
        for (name, text) in user {
            let folder = "run-" + name.prefix { $0 != "." && $0 != "/" }
            try manager.createDirectory(
                atPath: (job.path + "/\(folder)/" + name as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try job.write(text, to: "\(folder)/\(name)")
            for option in [[], ["--overwrite"], ["--resume"]] {
                let result = try await job.train(folder, option)
                #expect(result.status == 64 && result.standardError.contains("no run of this program wrote it"))
                #expect(try digest(job.path + "/" + folder) == [name: Data(text.utf8)], "\(option)")
            }
        }
        // A base model beside the run is no hindrance.
        try manager.createDirectory(atPath: job.path + "/beside", withIntermediateDirectories: true)
        try manager.copyItem(atPath: Fixture.path("tiny-bert"), toPath: job.path + "/beside/model")
        let result = try await job.train("beside", "--set", "model=\(job.path)/beside/model")
        #expect(result.status == 0, "\(result.standardError)")
        #expect(manager.fileExists(atPath: job.path + "/beside/model/vocab.txt"))
    }

    @Test("~ is the home folder, in the configuration and after --option=, and no folder of that name is made")
    func home() async throws {
        let job = try TinyJob()
        try manager.createDirectory(atPath: job.path + "/home", withIntermediateDirectories: true)
        try manager.createDirectory(atPath: job.path + "/work", withIntermediateDirectories: true)
        try manager.copyItem(atPath: Fixture.path("tiny-bert"), toPath: job.path + "/home/tiny")
        let rankwise = try builtExecutable(named: "rankwise")
        func run(_ command: String) async throws -> JobResult {
            try await launchJob(
                executable: "/bin/bash", arguments: ["-c", "cd '\(job.path)/work' && '\(rankwise)' \(command)"],
                processCount: nil, environment: ["HOME": job.path + "/home"])
        }
        let trained = try await run("train --config ../run.yaml --set 'output=~/out' --set 'model=~/tiny'")
        #expect(trained.status == 0, "\(trained.standardError)")
        #expect(manager.fileExists(atPath: job.path + "/home/out/summary.json"))
        let exported = try await run("export '--output=~/lora' --format lora ../home/out")
        #expect(exported.status == 0, "\(exported.standardError)")
        #expect(manager.fileExists(atPath: job.path + "/home/lora/adapter_config.json"))
        #expect(try manager.contentsOfDirectory(atPath: job.path + "/work").isEmpty)
        let other = try await run("train --config ../run.yaml --set 'output=~nobody/out'")
        #expect(other.status == 64 && other.standardError.contains("output: expected a path"), "\(other.standardError)")
        // A file may be called so.
        let literal = try await run("train --config ../run.yaml --set 'output=./~'")
        #expect(literal.status == 0 && manager.fileExists(atPath: job.path + "/work/~/summary.json"))
    }

    @Test("a finished run that is told to take more steps is left as it is, and what to do is said")
    func moreSteps() async throws {
        let job = try TinyJob()
        #expect(try await job.train("run").status == 0)
        let before = try digest(job.path + "/run")
        let result = try await job.train("run", "--resume", "--set", "total_step=40")
        #expect(result.status == 64)
        #expect(result.standardError.contains("total_step is 40, was 24"), "\(result.standardError)")
        #expect(result.standardError.contains("adapter.init=\(job.path)/run/adapter"))
        #expect(!result.standardError.contains("--overwrite"))
        #expect(try digest(job.path + "/run") == before)
    }

    @Test("of files that are not there, a message says so once")
    func missing() async throws {
        let result = try await rankwise("train", "--config", "/nowhere/nope.yaml")
        #expect(result.status == 66)
        #expect(
            result.standardError.contains(
                "/nowhere/nope.yaml: the configuration cannot be read (No such file or directory); check --config"))
        #expect(try await rankwise("--help").standardOutput.contains("75 stopped on request"))
    }

    @Test("the progress and the metrics say what the last decision kept")
    func kept() async throws {
        let job = try TinyJob(more: "log_every: 1")
        let result = try await job.train("run")
        #expect(result.status == 0, "\(result.standardError)")
        let lines = try job.metrics("run")
        let kept = lines.compactMap { $0["kept"] as? Int }
        var expected = 48
        for (line, kept) in zip(lines, kept) {
            if let ranks = line["ranks"] as? [String: Int] { expected = ranks.values.reduce(0, +) }
            #expect(kept == expected)
        }
        #expect(kept.count == 24 && kept[5] == 48 && kept[7] < 48 && kept[23] == 24)
        // Step 8, counted from 1, lies between two decisions, where what lost has taken a step again.
        #expect(lines[7]["active"] as? Int == 48)
        #expect(result.standardError.contains("step 8/24") && result.standardError.contains("kept \(kept[7])/48"))
    }
}

@Suite("Files that a run reads", .serialized)
struct ChangedInputTests {
    /// Runs the job on a copy of its model, with something done to its files once it trains.
    ///
    /// - Parameter change: a shell script; `$model` and `$data` are the folders.
    private func disturbed(_ change: String) async throws -> (job: TinyJob, result: JobResult) {
        let job = try TinyJob()
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert"), toPath: job.path + "/model")
        let rankwise = try builtExecutable(named: "rankwise")
        let script = """
            model='\(job.path)/model'; data='\(job.path)'
            '\(rankwise)' train --config '\(job.configPath)' --set model="$model" --set output='\(job.path)/run' \
                --set total_step=3000 --set checkpoint.every=20 & job=$!
            while [ ! -s '\(job.path)/run/metrics.jsonl' ]; do sleep 0.05; done; sleep 0.2
            \(change)
            wait $job
            """
        let result = try await launchJob(
            executable: "/bin/bash", arguments: ["-c", script], processCount: nil, timeout: 120)
        return (job, result)
    }

    @Test(
        "may be touched, copied over themselves, or removed: the run goes on, to the same bytes",
        arguments: [
            "touch \"$model\"/* \"$data/train.tsv\"",
            "cp -p \"$model/model.safetensors\" \"$model/copy\"; mv \"$model/copy\" \"$model/model.safetensors\"",
            "rm -r \"$model\"",
        ])
    func sameContent(change: String) async throws {
        let (job, result) = try await disturbed(change)
        #expect(result.status == 0, "\(result.standardError)")
        let whole = try await job.train(
            "whole", "--set", "total_step=3000", "--set", "checkpoint.every=3000")
        #expect(whole.status == 0)
        #expect(
            FileManager.default.contents(atPath: job.path + "/run/adapter/adapter_model.safetensors")
                == FileManager.default.contents(atPath: job.path + "/whole/adapter/adapter_model.safetensors"))
    }

    @Test(
        "end it when their content changes, also with the old time of writing, or when they are cut short",
        arguments: [
            ("printf x >> \"$data/train.tsv\"", Int32(65), "its content has changed"),
            (
                "touch -r \"$model/model.safetensors\" \"$data/time\"; "
                    + "printf '\\001' | dd of=\"$model/model.safetensors\" bs=1 seek=90000 conv=notrunc status=none; "
                    + "touch -r \"$data/time\" \"$model/model.safetensors\"", 65, "its content has changed"
            ),
            ("truncate -s 20000 \"$model/model.safetensors\"", 74, "can no longer be read"),
        ])
    func otherContent(change: String, status: Int32, message: String) async throws {
        let (_, result) = try await disturbed(change)
        // A truncated file is met by the step, or by the check before the next checkpoint.
        #expect(result.status == status || (status == 74 && result.status == 65), "\(result.status)")
        #expect(
            result.standardError.contains(message)
                || (status == 74 && result.standardError.contains("its content has changed")), "\(result.standardError)"
        )
        #expect(!result.standardError.contains("backtrace") && !result.standardError.contains("Fatal"))
    }
}
