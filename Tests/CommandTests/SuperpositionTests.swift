import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

/// A small network of the superposition model: 64 features in 4 numbers, 40 steps.
private struct ToyJob: TrainingJob {
    let folder: Fixture.TemporaryFolder

    init() throws {
        folder = try Fixture.TemporaryFolder()
        let text = """
            task: superposition
            method: full
            superposition: { n: 64, m: 4, alpha: 1.5, bias: zero, evaluation_samples: 1000 }
            optimizer:
              { lr: 2.0e-2, schedule: cosine, min_lr_rate: 0.05, warmup_steps: 4, decay_mode: unit-row, weight_decay: 0.5 }
            total_step: 40
            batch_size: 200
            seed: 5
            evaluate_every: 20
            checkpoint: { every: 10, keep: 100 }
            output: \(folder.path)/run
            """
        try write(text, to: "run.yaml")
    }

    func testLoss(_ output: String) throws -> Double? {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(output)/summary.json"))
        let summary = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let metrics = summary?["metrics"] as? [String: [String: Any]]
        return metrics?["test"]?["loss"] as? Double
    }
}

@Suite("Superposition", .serialized)
struct SuperpositionTests {
    /// Small networks: n 128, α 1.5, b from 0.
    private struct SmallSweep {
        let folder: Fixture.TemporaryFolder

        init(_ more: String) throws {
            folder = try Fixture.TemporaryFolder()
            let text = "alpha: 1.5\nn: 128\nbatch_size: 256\nbias: zero\nevaluation_samples: 5000\n\(more)\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/sweep.yaml"))
        }

        func run(
            _ output: String, _ more: String..., processes: Int? = nil, timeout: Double = 120
        ) async throws -> JobResult {
            try await rankwise(
                ["superposition", "sweep", "--config", folder.path + "/sweep.yaml", "--set", "output=\(path(output))"]
                    + more, processes: processes, timeout: timeout)
        }

        func path(_ output: String) -> String { folder.path + "/" + output }

        func text(_ output: String, _ name: String) throws -> String {
            try String(contentsOfFile: path(output) + "/" + name, encoding: .utf8)
        }

        func lines(_ output: String) throws -> [[String: Any]] {
            try text(output, "cells.jsonl").split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
    }

    private func json(_ result: JobResult) throws -> [String: Any] {
        #expect(result.status == 0, "\(result.standardError)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any])
    }

    @Test("the stronger the decay, the fewer features are represented; Welch's bound is never broken")
    func regimes() async throws {
        let sweep = try SmallSweep("m: 8\ngamma: [-1, 0, 0.2, 1, 2]\nsteps: 800")
        let result = try await sweep.run("sweep")
        #expect(result.status == 0, "\(result.standardError)")
        let lines = try sweep.lines("sweep")
        let shares = lines.compactMap { $0["phi_half"] as? Double }
        #expect(shares.count == 5 && shares == shares.sorted(by: >))
        let bands: [ClosedRange<Double>] = [1...1, 0.4...0.7, 0.12...0.35, 0.05...0.13, 0.02...0.08]
        // Seen over seeds; two features in 128 are 0.016.
        for (share, band) in zip(shares, bands) {
            #expect(band.contains(share), "\(share)")
        }
        for line in lines {
            let (overlap, bound) = (line["mean_square_overlap"] as? Double, line["welch_bound"] as? Double)
            #expect(try #require(overlap) >= #require(bound))
            #expect(abs(try #require(bound) - 0.118110) < 1e-6)
        }
    }

    @Test(
        "a sweep gives the same lines on 1, 2 and 3 processes, killed and resumed, and after files were lost or damaged"
    )
    func sameLines() async throws {
        let sweep = try SmallSweep("m: [2, 3, 5]\nseed: [0, 1, 2, 3]\ngamma: [1, -1]\nsteps: 1500")
        let whole = try await sweep.run("whole")
        #expect(whole.status == 0 && whole.standardOutput.contains("24 cells"), "\(whole.standardError)")
        let expected = try sweep.text("whole", "cells.jsonl")
        #expect(expected.split(separator: "\n").count == 24)
        for processes in [2, 3] {
            #expect(try await sweep.run("on\(processes)", processes: processes).status == 0)
            #expect(try sweep.text("on\(processes)", "cells.jsonl") == expected)
        }

        let killed = try await sweep.run("killed", processes: 2, timeout: 1)
        #expect(killed.status != 0)
        // Not those that were being written.
        let finished = try FileManager.default.contentsOfDirectory(atPath: sweep.path("killed/cells"))
            .count { $0.hasSuffix(".json") }
        #expect(finished < 24, "it was killed before its end")
        #expect(try await sweep.run("killed").status == 64, "an earlier sweep is neither kept nor removed unasked")
        #expect(try await sweep.run("killed", "--resume", "--set", "lr=2e-2").status == (finished > 0 ? 64 : 0))
        let resumed = try await sweep.run("killed", finished > 0 ? "--resume" : "--overwrite")
        #expect(resumed.status == 0, "\(resumed.standardError)")
        #expect(try sweep.text("killed", "cells.jsonl") == expected)

        try FileManager.default.removeItem(atPath: sweep.path("killed/cells/m3-alpha1.5-gamma1-n128-seed2.json"))
        try Data("{\"m\":".utf8).write(
            to: URL(fileURLWithPath: sweep.path("killed/cells/m2-alpha1.5-gamma-1-n128-seed0.json")))
        let mended = try await sweep.run("killed", "--resume", processes: 2)
        #expect(mended.status == 0 && mended.standardError.contains("damaged; the cell is computed again"))
        #expect(try sweep.text("killed", "cells.jsonl") == expected)

        let fits = try sweep.text("killed", "fits.jsonl").split(separator: "\n")
        #expect(fits.count == 2 && fits.allSatisfy { $0.contains("\"cells\":12") })
        let figure = try sweep.text("killed", "loss.svg")
        #expect(figure.hasPrefix("<svg ") && figure.split(separator: "<circle ").count == 1 + 24 + 2)
    }

    @Test(
        "a run of `train` has the same bytes for 1 to 4 processes, resumed from any step, and is the sweep's cell on one lane"
    )
    func train() async throws {
        let job = try ToyJob()
        let alone = try await job.train("alone")
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        #expect(expected.keys.sorted() == ["config.json", "metrics", "model.safetensors"])
        for processes in 2...4 {
            let result = try await job.train("p\(processes)", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
            #expect(try job.testLoss("p\(processes)") == job.testLoss("alone"))
        }
        for (step, processes) in [(10, 2), (30, 3)] {
            try job.truncate("alone", toStep: step, as: "resumed\(step)")
            let result = try await job.train("resumed\(step)", "--resume", processes: processes)
            #expect(result.status == 0 && result.standardError.contains("resuming from step \(step)"))
            #expect(try job.results("resumed\(step)") == expected, "resumed from step \(step)")
        }
        #expect(try job.metrics("alone").count { $0["validation"] != nil } == 2)

        let geometry = try json(
            try await rankwise("superposition", "analyze", job.path + "/alone/model", "--tensor", "weight", "--json"))
        #expect(geometry["rows"] as? Int == 64 && geometry["columns"] as? Int == 4)

        let sweep = try SmallSweep("")
        let cell = try await sweep.run(
            "cell", "--set", "m=4", "--set", "n=64", "--set", "steps=40", "--set", "batch_size=200", "--set", "lr=2e-2",
            "--set", "gamma=0.5", "--set", "seed=5", "--set", "evaluation_samples=1000")
        #expect(cell.status == 0, "\(cell.standardError)")
        let lane = try await job.train("lane", "--set", "gradient_lanes=1")
        #expect(lane.status == 0, "\(lane.standardError)")
        #expect(try sweep.lines("cell").first?["loss"] as? Double == job.testLoss("lane"))
    }

    @Test(
        "what a run on this model cannot be told is refused",
        arguments: [
            ("method=adalora", "set method to full"), ("model=/nowhere", "set it to null"),
            ("data.train=/nowhere", "set it to null"), ("superposition.n=0", "expected an integer from 1"),
            ("superposition.m=65536", nil), ("task=image-classification", "data.train is null"),
        ])
    func refusals(setting: String, words: String?) async throws {
        let result = try await ToyJob().train("run", "--dry-run", "--set", setting)
        #expect(result.status == (words == nil ? 0 : 64), "\(result.standardError)")
        if let words { #expect(result.standardError.contains(words), "\(result.standardError)") }
    }

    @Test("a cell whose loss is not finite has a line that says so, and no others suffer")
    func divergence() async throws {
        let sweep = try SmallSweep("m: [2, 3]\ngamma: [-1, 0]\nsteps: 20\nlr: 1e38\nwarmup_steps: 0")
        let result = try await sweep.run("sweep")
        #expect(result.status == 0 && result.standardError.contains("is not finite"), "\(result.standardError)")
        #expect(try sweep.lines("sweep").allSatisfy { $0["diverged_at_step"] is Int && $0["loss"] == nil })
    }

    @Test("Chinchilla's sizes grow as the 2.523rd power of their width, and its loss falls with the 0.883rd")
    func chinchilla() async throws {
        let table = Fixture.path("chinchilla.tsv")
        let fit = try json(
            try await rankwise(
                "superposition", "fit", table, "--x", "d_model", "--y", "parameters_million", "--times", "0.35",
                "--times-error", "0.02", "--json"))
        #expect(fit["rows"] as? Int == 50)
        // To the last digit published.
        for (key, value, digit) in [
            ("exponent", 2.5226, 5e-5), ("standardError", 0.0258, 5e-5), ("product", 0.883, 5e-4),
            ("productStandardError", 0.051, 5e-4),
        ] as [(String, Double, Double)] { #expect(abs(try #require(fit[key] as? Double) - value) <= digit, "\(key)") }
        let unknown = try await rankwise("superposition", "fit", table, "--x", "width", "--y", "parameters_million")
        #expect(unknown.status == 65 && unknown.standardError.contains("the header has no column \"width\""))
    }

    @Test("what is no table of numbers is refused in one line")
    func tables() async throws {
        let folder = try Fixture.TemporaryFolder()
        for (name, text, status, words) in [
            ("a.tsv", "x\ty\n1\t2\n2\tmany\n", 65, "a.tsv:3: \"y\" is \"many\", expected a finite number"),
            ("b.csv", "x,y\n1,2\n2,-1\n", 65, "no power law fits"),
            ("c.jsonl", "{\"x\": 1, \"y\": 2}\n", 64, "expected a .tsv or .csv file"),
        ] as [(String, String, Int32, String)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
            let result = try await rankwise("superposition", "fit", folder.path + "/" + name, "--x", "x", "--y", "y")
            #expect(result.status == status && result.standardError.contains(words), "\(result.standardError)")
            #expect(result.standardError.split(separator: "\n").count == 1)
        }
    }

    @Test("the geometry of a tensor is told; what is none of two dimensions is refused")
    func analyze() async throws {
        let model = Fixture.path("tiny-bert")
        let tensor = "embeddings.word_embeddings.weight"
        let folder = try json(try await rankwise("superposition", "analyze", model, "--tensor", tensor, "--json"))
        let file = try json(
            try await rankwise(
                "superposition", "analyze", model + "/model.safetensors", "--tensor", tensor, "--json"))
        #expect(NSDictionary(dictionary: folder) == NSDictionary(dictionary: file))
        let overlap = try #require(folder["meanSquareOverlap"] as? Double)
        let bound = try #require(folder["welchBound"] as? Double)
        #expect(overlap >= bound && overlap < 1)
        for (name, words) in [
            ("embeddings.word_embedding.weight", "did you mean 'embeddings."),
            ("embeddings.LayerNorm.weight", "expected two dimensions"),
        ] {
            let result = try await rankwise("superposition", "analyze", model, "--tensor", name)
            #expect(result.status == 64 && result.standardError.contains(words), "\(result.standardError)")
        }
        #expect(try await rankwise("superposition", "analyze", "/nowhere", "--tensor", tensor).status == 66)
    }

    @Test(
        "MiniLM's embeddings overlap 3.351 times as much as random directions",
        .enabled(if: Fixture.data != nil, "launch/fetch-data.sh fetches the model"))
    func miniLM() async throws {
        let geometry = try json(
            try await rankwise(
                "superposition", "analyze", (Fixture.data ?? "") + "/minilm", "--tensor",
                "embeddings.word_embeddings.weight", "--json"))
        // To the last digit known.
        #expect(abs(try #require(geometry["overlapTimesColumns"] as? Double) - 3.351) <= 1e-3)
        #expect(abs(try #require(geometry["phiHalf"] as? Double) - 0.9404) <= 5e-4)
        #expect(geometry["rows"] as? Int == 30_522 && geometry["columns"] as? Int == 384)
    }

    @Test("a step is timed beside its products")
    func bench() async throws {
        let figures = try json(
            try await rankwise(
                "bench", "superposition", "--features", "64", "--hidden", "8", "--batch", "32", "--steps", "3", "--json"
            ))
        #expect(try #require(figures["stepSeconds"] as? Double) > 0 && figures["features"] as? Int == 64)
        #expect(try await rankwise("bench", "superposition", "--hidden", "0").status == 64)
    }
}
