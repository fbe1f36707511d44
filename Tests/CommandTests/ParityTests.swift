import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

/// A run of PEFT's AdaLoRA on the real MiniLM without dropout and without shuffling, to be followed step by step.
@Suite(
    "Following PEFT's run on the real MiniLM", .serialized,
    .enabled(if: Fixture.data != nil, "launch/fetch-data.sh fetches the model"))
struct ParityTests {
    private struct Golden: Decodable {
        struct Step: Decodable {
            let taskLoss, loss, lr, gradNorm: Double
            let budget, active: Int
        }

        let steps: [Step]
        let evalTexts: [String]
        let evalLogits: [[Double]]
    }

    private struct Line: Decodable {
        let taskLoss, loss, lr, gradNorm: Double
        let budget, active: Int
    }

    @Test("losses, budgets, decisions and logits", arguments: [1, 2, 3])
    func parity(processes: Int) async throws {
        let golden: Golden = try Fixture.json("peft-parity-movies/expected.json")
        let folder = try Fixture.TemporaryFolder()
        let config = """
            model: \(Fixture.data ?? "")/minilm
            data: { train: \(Fixture.path("peft-parity-movies/rows.tsv")), max_length: 64, shuffle: false }
            adapter: { init_r: 8, target_r: 3, tinit: 6, tfinal: 12, deltaT: 4, orthogonality: peft,
                       sensitivity_at: update, init: \(Fixture.path("peft-parity-movies/init")) }
            dropout: 0
            optimizer: { warmup_steps: 4 }
            total_step: 44
            batch_size: 16
            output: \(folder.path)/run

            """
        try Data(config.utf8).write(to: URL(fileURLWithPath: folder.path + "/run.yaml"))
        let run = try await rankwise(
            "train", "--config", folder.path + "/run.yaml", processes: processes, timeout: 900)
        #expect(run.status == 0, "\(run.standardError)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
            .split(separator: "\n").map { try decoder.decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.count == 44)
        for (line, peft) in zip(lines, golden.steps) {
            // PEFT padded otherwise differs from itself by 2e-7; another order of summation by little more.
            #expect(abs(line.taskLoss - peft.taskLoss) < 1e-4 * peft.taskLoss)
            #expect(abs(line.loss - peft.loss) < 1e-4 * peft.loss)
            #expect(abs(line.gradNorm - peft.gradNorm) < 1e-3 * peft.gradNorm)
            #expect(abs(line.lr - peft.lr) < 1e-12)
            #expect(line.budget == peft.budget && line.active == peft.active)
        }

        func pattern(_ path: String) throws -> [String: [Bool]] {
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            return (object as? [String: Any])?["rank_pattern"] as? [String: [Bool]] ?? [:]
        }
        let kept = try pattern(folder.path + "/run/adapter/adapter_config.json")
        let expected = try pattern(Fixture.path("peft-parity-movies/final/adapter_config.json"))
        let agreeing = expected.reduce(0) { sum, module in
            sum + zip(module.value, kept[module.key] ?? []).count { $0 == $1 }
        }
        #expect(agreeing >= 286)

        let predictions = try await rankwise(
            "predict", "--adapter", folder.path + "/run",
            input: golden.evalTexts.map { $0 + "\n" }.joined(), timeout: 300)
        struct Prediction: Decodable { let logits: [Double] }
        let logits = try predictions.standardOutput.split(separator: "\n").map {
            try JSONDecoder().decode(Prediction.self, from: Data($0.utf8)).logits
        }
        #expect(logits.count == 32)
        for (a, b) in zip(logits.joined(), golden.evalLogits.joined()) { #expect(abs(a - b) < 1e-3) }
    }
}
