import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

/// Runs of PEFT's AdaLoRA on small encoders without dropout, to be followed step by step; see
/// Tests/goldens/make_encoder_runs.py.
@Suite("Following PEFT's runs on other encoders", .serialized)
struct EncoderRunTests {
    private struct Golden: Decodable {
        struct Step: Decodable {
            let taskLoss, loss, lr, gradNorm: Double
            let budget, active: Int
        }

        let steps: [Step]
    }

    private struct Line: Decodable {
        let taskLoss, loss, lr, gradNorm: Double
        let budget, active: Int
    }

    private func pattern(_ path: String) throws -> [String: [Bool]] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        return (object as? [String: Any])?["rank_pattern"] as? [String: [Bool]] ?? [:]
    }

    @Test(
        "losses, budgets and decisions, and the same bytes on 1, 2 and 3 processes and every processor",
        arguments: ["tiny-roberta", "tiny-deberta-v3", "tiny-modernbert"])
    func parity(name: String) async throws {
        let golden: Golden = try Fixture.json("encoders/runs/\(name)/expected.json")
        let folder = try Fixture.TemporaryFolder()
        let config = """
            model: \(Fixture.path("encoders/" + name))
            data: { train: \(Fixture.path("encoders/runs/rows.tsv")), max_length: 40, shuffle: false }
            adapter: { init_r: 4, target_r: 2, tinit: 4, tfinal: 8, deltaT: 3, lora_alpha: 16, orthogonality: peft,
                       sensitivity_at: update, init: \(Fixture.path("encoders/runs/\(name)/init")) }
            dropout: 0
            optimizer: { lr: 0.02, warmup_steps: 4 }
            total_step: 30
            batch_size: 8
            output: run

            """
        try Data(config.utf8).write(to: URL(fileURLWithPath: folder.path + "/run.yaml"))
        var weights: [Data] = []
        let environments = [[:], [:], [:], ["RANKWISE_INSTRUCTIONS": "avx2"], ["OPENBLAS_CORETYPE": "Haswell"]]
        for (index, environment) in environments.enumerated() {
            let output = "\(folder.path)/run-\(index + 1)"
            let run = try await rankwise(
                "train", "--config", folder.path + "/run.yaml", "--set", "output=\(output)",
                processes: index % 3 + 1, environment: environment)
            #expect(run.status == 0, "\(run.standardError)")
            weights.append(
                try Data(contentsOf: URL(fileURLWithPath: output + "/adapter/adapter_model.safetensors")))
        }
        #expect(weights.allSatisfy { $0 == weights[0] })

        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = try String(contentsOfFile: folder.path + "/run-1/metrics.jsonl", encoding: .utf8)
            .split(separator: "\n").map { try decoder.decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.count == 30)
        for (step, (line, peft)) in zip(lines, golden.steps).enumerated() {
            #expect(abs(line.taskLoss - peft.taskLoss) < 1e-4 * max(peft.taskLoss, 1), "step \(step)")
            #expect(abs(line.loss - peft.loss) < 1e-4 * max(peft.loss, 1), "step \(step)")
            #expect(abs(line.gradNorm - peft.gradNorm) < 1e-3 * peft.gradNorm, "step \(step)")
            #expect(abs(line.lr - peft.lr) < 1e-12)
            #expect(line.budget == peft.budget && line.active == peft.active, "step \(step)")
        }
        #expect(
            try pattern(folder.path + "/run-1/adapter/adapter_config.json")
                == (try pattern(Fixture.path("encoders/runs/\(name)/expected.json"))))
    }
}
