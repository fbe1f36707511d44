import FixtureFiles
import Foundation
import MultiProcessTesting

/// Runs the product as a user does.
func rankwise(
    _ arguments: String..., processes: Int? = nil, environment: [String: String] = [:], input: String? = nil,
    timeout: Double = 120
) async throws -> JobResult {
    try await rankwise(arguments, processes: processes, environment: environment, input: input, timeout: timeout)
}

func rankwise(
    _ arguments: [String], processes: Int? = nil, environment: [String: String] = [:], input: String? = nil,
    timeout: Double = 120
) async throws -> JobResult {
    try await launchJob(
        executable: try builtExecutable(named: "rankwise"), arguments: arguments, processCount: processes,
        environment: environment, standardInput: input.map { Data($0.utf8) }, timeout: timeout)
}

/// A training run that tests start in a folder of their own, which holds its configuration, `run.yaml`.
protocol TrainingJob {
    var folder: Fixture.TemporaryFolder { get }
}

extension TrainingJob {
    var path: String { folder.path }
    var configPath: String { path + "/run.yaml" }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }

    func train(
        _ output: String, _ more: String..., processes: Int? = nil, environment: [String: String] = [:]
    ) async throws -> JobResult {
        try await train(output, more, processes: processes, environment: environment)
    }

    func train(
        _ output: String, _ more: [String], processes: Int? = nil, environment: [String: String] = [:]
    ) async throws -> JobResult {
        try await rankwise(
            ["train", "--config", configPath, "--set", "output=\(path)/\(output)"] + more, processes: processes,
            environment: environment)
    }

    /// Copies a finished run as it was when it had just committed the checkpoint of a step.
    func truncate(_ output: String, toStep step: Int, as name: String) throws {
        let run = path + "/" + name
        let manager = FileManager.default
        try manager.copyItem(atPath: path + "/" + output, toPath: run)
        for name in ["adapter", "model", "summary.json"] { try? manager.removeItem(atPath: run + "/" + name) }
        for checkpoint in try manager.contentsOfDirectory(atPath: run + "/checkpoints")
        where (Int(checkpoint.dropFirst("step-".count)) ?? 0) > step {
            try manager.removeItem(atPath: run + "/checkpoints/" + checkpoint)
        }
    }

    /// What must be the same bytes for runs that are said to be equal: every file of the adapter or the model, and the
    /// metrics but for times.
    func results(_ output: String) throws -> [String: Data] {
        let run = path + "/" + output
        var results: [String: Data] = [:]
        for folder in ["model", "adapter"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(run)/\(folder)")) ?? [] {
                results[name] = FileManager.default.contents(atPath: "\(run)/\(folder)/\(name)")
            }
        }
        let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
        results["metrics"] = Data(metrics.replacing(/"step_seconds":[^,}]*/, with: "").utf8)
        return results
    }

    /// The lines of a run's metrics.
    func metrics(_ output: String) throws -> [[String: Any]] {
        try String(contentsOfFile: path + "/\(output)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
            .compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }
}

/// A small job on the random tiny BERT: 24 steps that meet every phase of the schedule, dropout on.
///
/// Decisions fall at steps 6, 9, 12, 15 and 16 (tinit 4, deltaT 3, T − tfinal 16); the warm-up ends with step 5.
struct TinyJob: TrainingJob {
    let folder: Fixture.TemporaryFolder

    static let lines: [(text: String, label: String)] = {
        let openings = ["the film was", "a movie that is", "this actor and the music:", "It is", "one long scene of"]
        let words: [(String, String)] = [
            ("great", "good"), ("not good", "bad"), ("love", "good"), ("sad and dull", "bad"), ("very best", "good"),
            ("worst", "bad"), ("fine", "good"), ("never funny", "bad"),
        ]
        return (0..<40).map { index in
            let (word, label) = words[(index * 3) % words.count]
            let ending = String(repeating: " the story of a character", count: index % 4)
            return ("\(openings[index % openings.count]) \(word)\(ending).", label)
        }
    }()

    /// - Parameter more: further top-level lines of the YAML.
    init(model: String = "tiny-bert", more: String = "") throws {
        folder = try Fixture.TemporaryFolder()
        try write(Self.table(Self.lines), to: "train.tsv")
        try write(Self.table(Array(Self.lines.prefix(13))), to: "test.tsv")
        try write(
            """
            model: \(Fixture.path(model))
            data: { train: \(folder.path)/train.tsv, test: \(folder.path)/test.tsv, max_length: 48 }
            adapter: { init_r: 4, target_r: 2, tinit: 4, tfinal: 8, deltaT: 3, lora_alpha: 8, lora_dropout: 0.1 }
            optimizer: { lr: 1.0e-2, warmup_steps: 6, max_grad_norm: 1.0, weight_decay: 0.01 }
            total_step: 24
            batch_size: 13
            gradient_lanes: 5
            checkpoint: { every: 1, keep: 100 }
            output: \(folder.path)/run
            \(more)

            """, to: "run.yaml")
    }

    static func table(_ lines: [(text: String, label: String)]) -> String {
        "text\tlabel\n" + lines.map { "\($0.text)\t\($0.label)\n" }.joined()
    }
}
