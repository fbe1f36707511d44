import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("What a run may be told")
struct TrainingOptionTests {
    /// Settings that change what is trained or how; each must keep what holds for all runs.
    static let options: [[String]] = [
        ["method=lora"],
        ["method=lora", "adapter.form=ba"],
        ["adapter.compact_final=true"],
        [
            "adapter.initialization=svd", "head.initialization=xavier", "optimizer.decay_mode=l2",
            "optimizer.weight_decay_vectors=0.02", "optimizer.weight_decay_values=0", "adapter.sensitivity_at=update",
        ],
        [
            "adapter.initialization=svd-minor", "head.initialization=he", "optimizer.decay_mode=unit-row",
            "optimizer.weight_decay=-0.5", "optimizer.weight_decay_head=0.1", "adapter.compact_final=true",
        ],
        ["adapter.initialization=xavier", "optimizer.clip_weights=0.3", "adapter.max_spectral_norm=0.02"],
        ["adapter.initialization=he", "adapter.normalize=unit", "base_quantization.bits=8"],
        ["base_quantization.bits=4", "base_quantization.group=10", "adapter.share=[query, output.dense]"],
        ["adapter.share=[key, intermediate.dense]", "adapter.compact_final=true"],
    ]

    private func arguments(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }

    @Test("gives the same bytes for any number of processes, and wherever it is resumed", arguments: options)
    func sameBytes(settings: [String]) async throws {
        let job = try TinyJob()
        let alone = try await job.train("alone", arguments(settings))
        #expect(alone.status == 0, "\(alone.standardError)")
        let expected = try job.results("alone")
        for processes in 2...4 {
            let result = try await job.train("p\(processes)", arguments(settings), processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("p\(processes)") == expected, "\(processes) processes")
        }
        // Before a decision, at the last one, in the final phase.
        for (step, processes) in [(5, 3), (16, 2), (17, 1), (20, 4)] {
            try job.truncate("p2", toStep: step, as: "resumed\(step)")
            let result = try await job.train(
                "resumed\(step)", ["--resume"] + arguments(settings), processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(try job.results("resumed\(step)") == expected, "resumed from step \(step)")
        }
    }

    @Test("removing the masked triplets leaves the adapter's function where nothing ties them to the others")
    func compactFinalPhase() async throws {
        let job = try TinyJob()
        // The orthogonality term and the norm of all gradients are what ties them.
        let free = ["adapter.orth_reg_weight=0", "optimizer.max_grad_norm=null"]
        var logits: [[Double]] = []
        for compact in ["false", "true"] {
            let run = try await job.train(compact, arguments(free + ["adapter.compact_final=\(compact)"]), processes: 2)
            #expect(run.status == 0, "\(run.standardError)")
            let predictions = try await rankwise(
                "predict", "--adapter", job.folder.path + "/" + compact,
                input: TinyJob.lines.map(\.text).joined(separator: "\n") + "\n")
            #expect(predictions.status == 0, "\(predictions.standardError)")
            let lines = predictions.standardOutput.split(separator: "\n")
            logits.append(
                try lines.flatMap {
                    let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                    return object?["logits"] as? [Double] ?? []
                })
        }
        #expect(logits[0].count == 2 * TinyJob.lines.count)
        // Sums over fewer triplets are taken in other orders, in single precision.
        #expect(zip(logits[0], logits[1]).allSatisfy { abs($0 - $1) < 1e-5 })
        let ranks = try Set(["false", "true"].map { try job.results($0)["adapter_config.json"] })
        #expect(ranks.count == 1)
        let final = FileManager.default
        let size = { (run: String) in
            try final.contentsOfDirectory(atPath: job.folder.path + "/\(run)/checkpoints/step-00000024")
                .filter { $0.hasSuffix(".safetensors") }.reduce(0) {
                    $0
                        + (try final.attributesOfItem(
                            atPath: job.folder.path + "/\(run)/checkpoints/step-00000024/" + $1)[.size] as? Int ?? 0)
                }
        }
        #expect(try size("true") < size("false"))
    }

    @Test("LoRA keeps every triplet, and in its plain form every singular value at 1")
    func fixedRank() async throws {
        let job = try TinyJob()
        let run = try await job.train("lora", arguments(["method=lora", "adapter.form=ba"]))
        #expect(run.status == 0, "\(run.standardError)")
        let last = try #require(try job.metrics("lora").last)
        #expect(last["budget"] as? Int == last["active"] as? Int)
        let losses = try job.metrics("lora").compactMap { $0["task_loss"] as? Double }
        #expect(losses.last.map { $0 < 0.9 * losses[0] } == true)
        // Without an orthogonality term, the loss is the task's.
        #expect(try job.metrics("lora").allSatisfy { $0["loss"] as? Double == $0["task_loss"] as? Double })
        let inspection = try await rankwise("inspect", job.folder.path + "/lora", "--json")
        #expect(inspection.status == 0, "\(inspection.standardError)")
    }
}
