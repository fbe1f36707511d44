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
