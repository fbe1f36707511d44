import FixtureFiles
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat
import Testing

@testable import Training

@Suite("Adapters of other programs, and adapters that a run starts from")
struct InitialAdapterTests {
    private let golden: AdapterGolden

    init() throws { golden = try Fixture.json("tiny-bert-golden.json") }

    private struct Patterns: Decodable {
        struct Case: Decodable {
            /// The text of adapter_config.json.
            let configuration: String
            let logits: [[Double]]
        }
        let cases: [Case]
    }

    @Test("patterns of ranks and alphas give PEFT's logits, whatever their expressions and their order")
    func patterns() throws {
        let patterns: Patterns = try Fixture.json("tiny-bert-lora-patterns/patterns.json")
        var different = Set<[Double]>()
        for example in patterns.cases {
            let folder = try Fixture.TemporaryFolder()
            try FileManager.default.copyItem(
                atPath: Fixture.path("tiny-bert-lora-patterns/adapter_model.safetensors"),
                toPath: folder.path + "/adapter_model.safetensors")
            try Data(example.configuration.utf8).write(
                to: URL(fileURLWithPath: folder.path + "/adapter_config.json"))
            let trained = try TrainedModel(path: folder.path, baseModel: Fixture.path("tiny-bert"))
            let logits = Evaluation(model: trained.model).logits(of: golden.tokens)
            for (found, expected) in zip(logits.joined(), example.logits.joined()) {
                // Single precision, on logits of up to 4.
                #expect(abs(Double(found) - expected) < 1e-5, "\(example.configuration.suffix(300))")
            }
            different.insert(example.logits[0])
        }
        #expect(patterns.cases.count == 24 && different.count > 4)
    }

    private static let targets = [
        "query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense",
    ]

    /// A model as a run starts with it.
    private func started(
        from adapter: String?, _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) throws -> AdaptedModel {
        var configuration = TrainingConfiguration(model: "", train: "", output: "")
        configuration.seed = 5
        configuration.adapter.initialRank = 4
        configuration.adapter.alpha = 8
        configuration.adapter.targetModules = .list(Self.targets)
        configuration.adapter.initialAdapter = adapter
        change(&configuration)
        let encoder = try ModelFolder.loadEncoder(path: Fixture.path("tiny-bert"), dropout: 0)
        let model = try AdaptedModel(
            encoder: encoder, adaptation: try Adaptation(configuration, among: encoder.linears), outputCount: 3)
        try model.start(configuration)
        return model
    }

    private func largestDifference(_ model: AdaptedModel, _ expected: [[Double]]) -> Double {
        let logits = Evaluation(model: model).logits(of: golden.tokens)
        return zip(logits.joined(), expected.joined()).map { abs(Double($0) - $1) }.max() ?? .infinity
    }

    @Test("a pruned adapter is taken up whole: its triplets first, the rest as of a new run, with λ = 0")
    func pruned() throws {
        let path = Fixture.path("tiny-bert-pruned-adapter")
        let (model, new) = (try started(from: path), try started(from: nil))
        #expect(largestDifference(model, golden.pruned.logits) < 1e-5)
        let adapter = try Adapter(path: path)
        var drawn = 0
        for block in model.tripletBlocks {
            let module = try #require(adapter.modules.first { $0.path == block.name })
            for (place, row) in block.rows.enumerated() {
                let elements = block.elements(ofRow: row)
                let values = Array(model.parameters.elements[elements])
                if place < module.rank {
                    #expect(values[module.outputs] == module.singularValues[place])
                    let vector = module.leftVectors.dropFirst(place * module.outputs).prefix(module.outputs)
                    #expect(values.prefix(module.outputs).elementsEqual(vector))
                } else {
                    #expect(values == Array(new.parameters.elements[elements]))
                    #expect(values[module.outputs] == 0 && values[0] != 0)
                    drawn += 1
                }
            }
        }
        #expect(drawn > 0 && drawn == model.tripletCount - adapter.modules.map(\.rank).reduce(0, +))
        withExtendedLifetime((model, new)) {}
    }

    @Test("another alpha, another init_r, and LoRA's form have the same ΔW")
    func scales() throws {
        let path = Fixture.path("tiny-bert-pruned-adapter")
        for (alpha, rank, form): (Double, Int, TrainingConfiguration.AdapterForm) in [
            (32, 4, .svd), (8, 7, .svd), (3, 12, .svd), (8, 4, .ba), (32, 6, .ba),
        ] {
            let model = try started(from: path) {
                $0.method = .lora
                ($0.adapter.alpha, $0.adapter.initialRank, $0.adapter.form) = (alpha, rank, form)
            }
            #expect(largestDifference(model, golden.pruned.logits) < 1e-5, "alpha \(alpha), init_r \(rank), \(form)")
            guard form == .ba else { continue }
            for block in model.tripletBlocks {
                for row in block.rows {
                    #expect(model.parameters.pointer[block.elements(ofRow: row).lowerBound + (block.outputs ?? 0)] == 1)
                }
            }
        }
    }

    @Test("a LoRA adapter of two modules a layer, with further modules that start new", arguments: [true, false])
    func lora(isPlain: Bool) throws {
        let path = Fixture.path("tiny-bert-lora-patterns")
        let expected = try (Fixture.json("tiny-bert-lora-patterns/patterns.json") as Patterns).cases[0].logits
        let model = try started(from: path) {
            $0.method = .lora
            $0.adapter.form = isPlain ? .ba : .svd
        }
        #expect(largestDifference(model, expected) < 1e-5)
    }

    @Test("every format that the product exports starts the same network", arguments: Adapter.Format.allCases)
    func exported(format: Adapter.Format) throws {
        let folder = try Fixture.TemporaryFolder()
        let source = try Adapter(path: Fixture.path("tiny-bert-pruned-adapter"))
        let task = try TaskDescription(
            adapterFolder: Fixture.path("tiny-bert-pruned-adapter"), outputCount: source.outputCount)
        try source.write(format, to: folder.path, task: task)
        #expect(largestDifference(try started(from: folder.path), golden.pruned.logits) < 1e-5)
    }

    @Test("what has no place in the run is refused with what to set")
    func refused() throws {
        let path = Fixture.path("tiny-bert-pruned-adapter")
        let room = #expect(throws: TrainingError.self) { try started(from: path) { $0.adapter.initialRank = 2 } }
        #expect(room?.description.contains("set adapter.init_r to at least 4, which is room for all modules") == true)
        let lost = #expect(throws: TrainingError.self) {
            try started(from: path) { $0.adapter.targetModules = .list(["query", "key", "value"]) }
        }
        #expect(
            lost?.description.contains(
                "2 triplets for the module 'bert.encoder.layer.0.attention.output.dense', which adapter.target_modules "
                    + "does not name") == true, "\(lost?.description ?? "")")
        let other = try Fixture.TemporaryFolder()
        var source = try Adapter(path: path)
        source.head.append(HeadTensor(name: "score.weight", shape: [1], values: [1]))
        let task = try TaskDescription(adapterFolder: path, outputCount: source.outputCount)
        try source.write(.adalora, to: other.path, task: task)
        let stranger = #expect(throws: TrainingError.self) { try started(from: other.path) }
        #expect(stranger?.description.contains("has a tensor 'score.weight', expected 'classifier.weight'") == true)
        // Its modules without triplets lose nothing.
        _ = try started(from: path) {
            $0.adapter.targetModules = .list(Self.targets.filter { $0 != "intermediate.dense" })
        }
    }

    @Test("modules that share an adapter start from modules that are alike, and from none")
    func shared() throws {
        let path = Fixture.path("tiny-bert-pruned-adapter")
        let error = #expect(throws: TrainingError.self) {
            try started(from: path) { $0.adapter.sharedModules = ["value"] }
        }
        #expect(error?.description.contains("differ, but adapter.share has them use the same") == true)
        // Neither layer's module has triplets.
        let model = try started(from: path) { $0.adapter.sharedModules = ["intermediate.dense"] }
        #expect(largestDifference(model, golden.pruned.logits) < 1e-5)
    }
}
