import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Ways of handling weights in training", .serialized)
struct OptionTests {
    private func set(_ keys: [String]) -> [String] { keys.flatMap { ["--set", $0] } }

    @Test("singular triplets leave the network's function as it is, and an adapter that learnt nothing changes nothing")
    func singularVectors() async throws {
        let job = try TinyJob()
        let still = ["optimizer.lr=0", "optimizer.weight_decay=0", "adapter.lora_dropout=0", "dropout=0"]
        var losses: [String: [Double]] = [:]
        for initialization in ["normal", "svd", "svd-minor"] {
            let result = try await rankwise(
                ["train", "--config", job.configPath, "--set", "output=\(job.folder.path)/\(initialization)"]
                    + set(still + ["adapter.initialization=\(initialization)", "adapter.target_r=4"]))
            #expect(result.status == 0, "\(result.standardError)")
            losses[initialization] = try job.metrics(initialization).compactMap { $0["task_loss"] as? Double }
        }
        let expected = try #require(losses["normal"])
        #expect(expected.count == 24)
        var predictions: [String] = []
        for initialization in ["normal", "svd", "svd-minor"] {
            for (loss, reference) in zip(losses[initialization] ?? [], expected) {
                // W0 − s·PΛQ and s·PΛQ·x are rounded to single precision.
                #expect(abs(loss - reference) < 1e-5, "\(initialization)")
            }
            let result = try await rankwise(
                "evaluate", "--adapter", "\(job.folder.path)/\(initialization)", "--data",
                job.folder.path + "/test.tsv",
                "--json")
            #expect(result.status == 0, "\(result.standardError)")
            predictions.append(result.standardOutput.replacing(/"loss":[^,}]*/, with: ""))
        }
        #expect(Set(predictions).count == 1, "\(predictions)")
        let inspected = try await rankwise("inspect", job.folder.path + "/svd")
        #expect(inspected.standardOutput.contains("each module also holds its 4 triplets of the start, negated"))
    }

    @Test("an export to a budget says what it changes, also where training started with a part of the weights")
    func reducedExport() async throws {
        let job = try TinyJob()
        let run = try await rankwise(
            ["train", "--config", job.configPath] + set(["adapter.initialization=svd", "checkpoint.every=100"]))
        #expect(run.status == 0, "\(run.standardError)")
        let source = job.folder.path + "/run"
        func export(_ more: String..., to name: String) async throws -> JobResult {
            try await rankwise(["export", source, "--format", "lora", "--output", job.folder.path + "/" + name] + more)
        }
        let whole = try await export("--budget", "1000", to: "whole")
        #expect(whole.status == 0, "\(whole.standardError)")
        #expect(whole.standardOutput.split(separator: "\n").last?.hasSuffix("0.00000") == true)
        let half = try await export("--budget", "24", to: "half")
        #expect(half.standardOutput.contains("/half: lora, 24 triplets in 12 modules\n"))
        let inspected = try await rankwise("inspect", job.folder.path + "/half")
        #expect(inspected.standardOutput.contains("24 of"))
        let dropped = try await export("--drop-below", "0.1", to: "dropped")
        #expect(dropped.status == 64 && dropped.standardError.contains("use --budget"))
        let both = try await export("--drop-below", "0.1", "--budget", "3", to: "both")
        #expect(both.status == 64 && both.standardError.contains("exclude each other"))
        var outputs: [[Substring]] = []
        for adapter in ["run", "whole"] {
            let result = try await rankwise(
                "evaluate", "--adapter", job.folder.path + "/" + adapter, "--data", job.folder.path + "/test.tsv")
            #expect(result.status == 0, "\(result.standardError)")
            outputs.append(result.standardOutput.split(separator: "\n").filter { !$0.contains("loss") })
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test("more triplets than a weight has singular values are refused in one line")
    func tooManyTriplets() async throws {
        let job = try TinyJob()
        let result = try await rankwise(
            ["train", "--config", job.configPath] + set(["adapter.initialization=svd", "adapter.init_r=33"]))
        #expect(result.status == 64)
        #expect(
            result.standardError.contains(
                "adapter.init_r is 33, but the weight of 'bert.encoder.layer.0.attention.self.query' has 32 singular values"
            ))
    }
}
