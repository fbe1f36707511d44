import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors
import Testing

@Suite("A run on modules that are chosen", .serialized)
struct TargetModuleRunTests {
    private let job: TinyJob
    private let choice = [
        "--set", #"adapter.target_modules=.*\.(query|key|dense)"#, "--set",
        "adapter.exclude_modules=[pooler.dense, key]",
        "--set", "adapter.modules_to_save=[layer.1.output.dense, embeddings.LayerNorm, classifier]",
    ]
    private let saved = ["bert.embeddings.LayerNorm", "bert.encoder.layer.1.output.dense"]
    private let adapted = [
        "0.attention.output.dense", "0.attention.self.query", "0.intermediate.dense", "0.output.dense",
        "1.attention.output.dense", "1.attention.self.query", "1.intermediate.dense",
    ].map { "bert.encoder.layer." + $0 }

    init() throws { job = try TinyJob() }

    private func configuration(_ folder: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: folder + "/adapter_config.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(
        "shows them, trains and exports these alone, with the same bytes on more processes, and goes on with no others")
    func run() async throws {
        let plan = try await job.train("run", choice + ["--dry-run"])
        #expect(plan.status == 0, "\(plan.standardError)")
        for path in adapted { #expect(plan.standardOutput.contains("#   \(path): 4 triplets")) }
        #expect(plan.standardOutput.contains("bert.encoder.layer.1.output.dense.weight: 32 × 64, trained in full"))
        #expect(plan.standardOutput.contains("# triplets: 28 in 7 modules"))

        let result = try await job.train("run", choice)
        #expect(result.status == 0, "\(result.standardError)")
        let folder = job.path + "/run/adapter"
        let json = try configuration(folder)
        #expect((json["target_modules"] as? [String])?.sorted() == adapted)
        #expect((json["rank_pattern"] as? [String: Any])?.keys.sorted() == adapted.map { $0 + ".lora_E" })
        #expect(json["modules_to_save"] as? [String] == saved + ["classifier"])
        let names = try SafetensorsFile(path: folder + "/adapter_model.safetensors").tensorNames
        let prefix = "base_model.model."
        let triplets = adapted.flatMap { path in ["lora_A", "lora_B", "lora_E"].map { "\(prefix)\(path).\($0)" } }
        let dense = (saved + ["classifier"]).flatMap { path in ["weight", "bias"].map { "\(prefix)\(path).\($0)" } }
        #expect(Set(names) == Set(triplets + dense))

        let more = try await job.train("more", choice, processes: 3)
        #expect(more.status == 0, "\(more.standardError)")
        #expect(try job.results("more") == job.results("run"))
        let other = try await job.train("run", "--resume", "--set", "adapter.target_modules=[query]")
        #expect(other.status == 64)
        #expect(other.standardError.contains("adapter.target_modules is [query], was"), "\(other.standardError)")
    }

    @Test(
        "saves modules that start as the model's, also where that is held in 8 bits, and every export computes the same"
    )
    func savedModules() async throws {
        let settings = choice + ["--set", "optimizer.lr=0"]
        let base = try SafetensorsFile(path: Fixture.path("tiny-bert") + "/model.safetensors")
        for (name, more) in [("plain", []), ("codes", ["--set", "base_quantization.bits=8"])] {
            let result = try await job.train(name, settings + more)
            #expect(result.status == 0, "\(result.standardError)")
            let file = try SafetensorsFile(path: "\(job.path)/\(name)/adapter/adapter_model.safetensors")
            let weight = "encoder.layer.1.output.dense.weight"
            let found = try file.floats(of: "base_model.model.bert." + weight, shape: [32, 64])
            #expect(try found == base.floats(of: weight, shape: [32, 64]), "\(name)")
        }
        let run = try await job.train("run", choice)
        #expect(run.status == 0, "\(run.standardError)")
        let texts = ["a good film", "the worst story"]
        let expected = try await predictions("--adapter", job.path + "/run", texts: texts)
        #expect(expected.count == texts.count)
        for format in ["lora", "merged"] {
            let output = job.path + "/" + format
            let export = try await rankwise("export", job.path + "/run", "--format", format, "--output", output)
            #expect(export.status == 0, "\(export.standardError)")
            let found = try await predictions("--adapter", output, texts: texts)
            #expect(found.count == texts.count)
            // Factors and sums are rounded in another order.
            for (logits, same) in zip(found, expected) {
                for (logit, same) in zip(logits, same) { #expect(abs(logit - same) < 1e-6) }
            }
        }
    }

    @Test(
        "refuses what names nothing, with what to do",
        arguments: [
            ("adapter.target_modules=query", "names stand in a list"),
            ("adapter.target_modules='(query'", "a '(' without its ')'"),
            ("adapter.exclude_modules=[gate]", "'gate' matches no linear layer of the model; its layers end in"),
            ("adapter.layers_to_transform=7", "together leave no layer to adapt"),
            ("adapter.layers_to_transform=[-1]", "expected an integer or a list of integers from 0"),
            ("adapter.modules_to_save=[gate]", "'gate' matches no module of the model"),
        ])
    func refused(setting: String, message: String) async throws {
        let result = try await job.train("run", "--set", setting)
        #expect(result.status == 64)
        #expect(result.standardError.contains(message), "\(result.standardError)")
        #expect(result.standardError.split(separator: "\n").count == 1)
    }
}
