import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

/// A small job on images of bars: 10 × 10 pixels, read as 12 × 12, of four classes by direction and side; an HCFormer of two
/// stages, the windows of the second do not fit.
private struct BarJob: TrainingJob {
    let folder: Fixture.TemporaryFolder

    init() throws {
        folder = try Fixture.TemporaryFolder()
        try write(Self.table(64, seed: 1), to: "train.csv")
        try write(Self.table(21, seed: 2), to: "test.csv")
        try write(
            """
            model: null
            method: full
            task: image-classification
            data: { train: \(path)/train.csv, test: \(path)/test.csv }
            image: { size: 12, scale: 255, mean: 0.4, std: 0.3, crop: 1, flip: false }
            hcformer:
              patch_size: 2
              depths: [1, 1]
              hidden_sizes: [8, 12]
              num_attention_heads: [2, 2]
              head_dim: 4
              mlp_ratios: [2, 2]
              windows: [2, 2]
              patch_centers: [2, 1]
              window_centers: [2, 1]
              layer_scale_init_value: 0.5
            optimizer: { lr: 5.0e-3, warmup_steps: 5, weight_decay: 0.01, schedule: cosine, max_grad_norm: 5 }
            total_step: 30
            batch_size: 13
            gradient_lanes: 5
            checkpoint: { every: 10, keep: 100 }
            output: \(path)/run

            """, to: "run.yaml")
    }

    private static func table(_ count: Int, seed: Int) -> String {
        var state = UInt64(seed)
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        return (0..<count).map { index in
            let label = index % 4
            let place = 1 + next(3) + (label % 2) * 5
            let cells = (0..<100).map { cell in
                let along = label < 2 ? cell / 10 : cell % 10
                return String(abs(along - place) <= 1 ? 180 + next(76) : next(60))
            }
            return (cells + [String(label)]).joined(separator: ",") + "\n"
        }.joined()
    }

    func accuracy(_ run: String, _ more: String...) async throws -> Double? {
        let result = try await rankwise(
            ["evaluate", "--adapter", path + "/" + run, "--data", path + "/test.csv", "--json"] + more)
        #expect(result.status == 0, "\(result.standardError)")
        let json = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any]
        return json?["accuracy"] as? Double
    }
}

@Suite("Runs on images", .serialized)
struct ImageRunTests {
    private static let adapters = [
        "method=adalora", "adapter.target_modules=[f, v, proj, fc1, fc2]", "adapter.init_r=4", "adapter.target_r=2",
        "adapter.tinit=2", "adapter.tfinal=4", "adapter.deltaT=2", "adapter.lora_dropout=0.1", "total_step=10",
    ].flatMap { ["--set", $0] }

    @Test("refuse to save modules of the network beside adapters, which they would leave as they are")
    func savedModules() async throws {
        let job = try BarJob()
        let result = try await job.train(
            "run", Self.adapters + ["--set", "model=x", "--set", "adapter.modules_to_save=[fc1]"])
        #expect(result.status == 64)
        #expect(result.standardError.contains("adapter.modules_to_save names 'fc1'"), "\(result.standardError)")
    }

    @Test("trained in full: it learns, with the same bytes for any number of processes, and resumed from any step")
    func full() async throws {
        let job = try BarJob()
        let alone = try await job.train("alone")
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        #expect(expected.keys.sorted() == ["config.json", "metrics", "model.safetensors", "preprocessor_config.json"])
        for processes in [2, 4] {
            let result = try await job.train("p\(processes)", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
        for (step, processes) in [(10, 3)] {
            try job.truncate("alone", toStep: step, as: "resumed\(step)")
            let result = try await job.train("resumed\(step)", "--resume", processes: processes)
            #expect(result.status == 0 && result.standardError.contains("resuming from step \(step)"))
            #expect(try job.results("resumed\(step)") == expected, "resumed from step \(step)")
        }
        // A quarter by chance; the bars are easy.
        #expect(try #require(try await job.accuracy("alone")) > 0.9)

        let predictions = try await rankwise(
            "predict", "--adapter", job.path + "/alone", "--images", job.path + "/test.csv")
        #expect(predictions.status == 0, "\(predictions.standardError)")
        #expect(predictions.standardOutput.split(separator: "\n").count == 21)
        // The same without the labels.
        let test = try String(contentsOfFile: job.path + "/test.csv", encoding: .utf8)
        try job.write(
            test.split(separator: "\n").map { $0.prefix(upTo: $0.lastIndex(of: ",") ?? $0.endIndex) + "\n" }.joined(),
            to: "unlabelled.csv")
        let unlabelled = try await rankwise(
            "predict", "--adapter", job.path + "/alone", "--images", job.path + "/unlabelled.csv")
        #expect(unlabelled.standardOutput == predictions.standardOutput, "\(unlabelled.standardError)")
        let complete = try await job.train("alone", "--resume")
        #expect(complete.standardError.contains("nothing is left to do"))
    }

    @Test("adapters on a trained network: the same bytes for any number of processes, and merged the same logits")
    func adapters() async throws {
        let job = try BarJob()
        #expect(try await job.train("base").status == 0)
        var outputs: [[String: Data]] = []
        for (index, processes) in [1, 3].enumerated() {
            let result = try await rankwise(
                ["train", "--config", job.path + "/run.yaml", "--set", "model=\(job.path)/base/model"]
                    + ["--set", "output=\(job.path)/adapted\(index)"] + Self.adapters, processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            outputs.append(try job.results("adapted\(index)"))
        }
        #expect(outputs[0] == outputs[1])
        #expect(outputs[0]["adapter_model.safetensors"] != nil && outputs[0]["preprocessor_config.json"] != nil)
        let accuracy = try await job.accuracy("adapted0")
        #expect(try #require(accuracy) > 0.9)

        let merged = try await rankwise(
            "export", job.path + "/adapted0", "--format", "merged", "--output", job.path + "/merged")
        #expect(merged.status == 0, "\(merged.standardError)")
        #expect(try await job.accuracy("merged") == accuracy)
        let inspected = try await rankwise("inspect", job.path + "/adapted0")
        #expect(inspected.status == 0 && inspected.standardOutput.contains("token_mixer.proj"))
        let fine = try await rankwise(
            "train", "--config", job.path + "/run.yaml", "--set", "model=\(job.path)/base/model", "--set",
            "total_step=5", "--set", "optimizer.warmup_steps=0", "--set", "output=\(job.path)/fine")
        #expect(fine.status == 0, "full training goes on from a model: \(fine.standardError)")
    }

    @Test(
        "what does not fit together is refused in one line, before anything is written",
        arguments: [
            (["method=adalora"], 64), (["task=sequence-classification"], 64), (["hcformer.windows=[2]"], 64),
            (["image.crop=13"], 64), (["hcformer.patch_size=20"], 64), (["hcformer.depths=[0, 1]"], 64),
            (["data.train=/nowhere.csv"], 66), (["data.test=/nowhere.csv"], 66), (["model=/nowhere"], 66),
            (["data.label=100.5"], 0),
        ] as [([String], Int32)])
    func refusals(changes: [String], status: Int32) async throws {
        let job = try BarJob()
        let result = try await rankwise(
            ["train", "--config", job.path + "/run.yaml", "--set", "total_step=6"] + changes.flatMap { ["--set", $0] })
        #expect(result.status == status, "\(result.standardError)")
        guard status != 0 else { return }
        #expect(result.standardError.split(separator: "\n").count == 1, "\(result.standardError)")
        #expect(!FileManager.default.fileExists(atPath: job.path + "/run/config.yaml"))
    }

    @Test("a dry run shows what would be trained")
    func dryRun() async throws {
        let job = try BarJob()
        let result = try await job.train("nothing", "--dry-run", processes: 2)
        #expect(result.status == 0, "\(result.standardError)")
        #expect(result.standardOutput.contains("64 images of 10 × 10 × 1, read as 12 × 12"))
        #expect(result.standardOutput.contains("head.weight: 4 × 12, trained in full"))
    }
}
