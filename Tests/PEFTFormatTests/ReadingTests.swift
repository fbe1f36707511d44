import FixtureFiles
import Foundation
import PEFTFormat
import Testing

@Suite("Adapters are read")
struct ReadingTests {
    @Test("an ADALORA adapter: triplets by rows, the head, the settings")
    func adalora() throws {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors).read()
        let module = try #require(adapter.modules.first)
        #expect(adapter.modules.count == 1)
        #expect(module.path == "bert.query" && module.outputs == 2 && module.inputs == 3 && module.rank == 2)
        #expect(module.leftVectors == [1, 2, 10, 20])
        #expect(module.singularValues == [0.5, -2])
        #expect(module.rightVectors == [1, 2, 3, 4, 5, 6])
        #expect(module.pattern == [true, true])
        #expect(adapter.head.map(\.name) == ["classifier.bias", "classifier.weight"])
        #expect(adapter.outputCount == 2)
        #expect(adapter.settings.initialRank == 2 && adapter.settings.targetRank == 1)
        #expect(adapter.settings.scale == Float(4) / (Float(2) + 1e-5))
        #expect(adapter.settings.targetModules == ["query"])
    }

    @Test("a pattern of ranks says which triplets were kept")
    func pattern() throws {
        let configuration = AdapterFolder.adalora.with([
            "init_r": 4, "rank_pattern": ["bert.query.lora_E": [false, true, false, true]],
        ])
        let adapter = try AdapterFolder(configuration, AdapterFolder.adaloraTensors).read()
        #expect(adapter.modules.first?.pattern == [false, true, false, true])
        #expect(adapter.modules.first?.rank == 2)
    }

    @Test("a module of rank 0 has shapes and no triplets")
    func rankZero() throws {
        let configuration = AdapterFolder.adalora.with(["rank_pattern": ["bert.query.lora_E": [false, false]]])
        let tensors = AdapterFolder.adaloraTensors.with([
            "bert.query.lora_A": ([0, 3], []), "bert.query.lora_E": ([0, 1], []), "bert.query.lora_B": ([2, 0], []),
        ])
        let module = try #require(try AdapterFolder(configuration, tensors).read().modules.first)
        #expect(module.rank == 0 && module.outputs == 2 && module.inputs == 3)
        #expect(module.pattern == [false, false])
    }

    @Test("modules come in the order of their layers' numbers")
    func order() throws {
        var tensors: [String: AdapterFolder.Tensor] = [:]
        for layer in [10, 9, 2, 1, 0] {
            for (part, tensor) in AdapterFolder.adaloraTensors where part.hasPrefix("bert.query.") {
                tensors["bert.\(layer)." + part.dropFirst("bert.".count)] = tensor
            }
        }
        let adapter = try AdapterFolder(AdapterFolder.adalora, tensors).read()
        #expect(adapter.modules.map(\.path) == [0, 1, 2, 9, 10].map { "bert.\($0).query" })
        #expect(adapter.head.isEmpty && adapter.outputCount == 0)
    }

    /// Single precision: a dozen roundings of values up to 120.
    private static let tolerance = 1e-4

    struct Patterns: Sendable {
        /// Of the modules that `ranks` does not name.
        var rank = 2
        var ranks: [String: Int] = [:]
        var alphas: [String: Double] = [:]
        /// alpha / r, as PEFT takes them for `bert.query`.
        let scale: Double
    }

    private static let patterns = [
        Patterns(scale: 2), Patterns(rank: 16, ranks: ["bert.query": 2], alphas: ["bert.query": 6], scale: 3),
        // PEFT matches a pattern's key with the end of a name, at a dot.
        Patterns(rank: 16, ranks: ["query": 2], alphas: ["query": 6], scale: 3),
        Patterns(rank: 16, ranks: ["query": 2], scale: 2), Patterns(alphas: ["uery": 6], scale: 2),
        Patterns(alphas: ["key": 6, "query": 5], scale: 2.5),
    ]

    @Test("a LoRA adapter has the ΔW that PEFT gives it, whatever its patterns", arguments: patterns)
    func lora(patterns: Patterns) throws {
        let scale = patterns.scale
        let configuration = AdapterFolder.lora.with([
            "r": patterns.rank, "rank_pattern": patterns.ranks, "alpha_pattern": patterns.alphas,
        ])
        let adapter = try AdapterFolder(configuration, AdapterFolder.loraTensors).read()
        let module = try #require(adapter.modules.first)
        // lora_B · lora_A, by hand.
        let product: [[Double]] = [[41, 52, 63], [82, 104, 126]]
        let change = weightChange(of: module, scale: Double(adapter.settings.scale))
        #expect(largestDifference(change, product.map { $0.map { $0 * scale } }) < Self.tolerance)
        #expect(module.singularValues == [1, 1])
        // As many flags as any module may have triplets, so that it can be written as ADALORA.
        #expect(module.pattern.count == adapter.settings.initialRank)
        #expect(module.pattern.count { $0 } == 2)
    }

    @Test("a LoRA module of a larger rank than r makes that the initial rank, for all modules")
    func largerRank() throws {
        var tensors = AdapterFolder.loraTensors
        tensors["bert.key.lora_A.weight"] = ([3, 1], [1, 1, 1])
        tensors["bert.key.lora_B.weight"] = ([1, 3], [1, 2, 3])
        let configuration = AdapterFolder.lora.with([
            "rank_pattern": ["bert.key": 3], "target_modules": ["query", "key"],
        ])
        let adapter = try AdapterFolder(configuration, tensors).read()
        #expect(adapter.settings.initialRank == 3)
        #expect(adapter.modules.map(\.pattern) == [[true, true, true], [true, true, false]])
        let changes = adapter.modules.map { weightChange(of: $0, scale: Double(adapter.settings.scale)) }
        #expect(largestDifference(changes[0], [[6 * 4.0 / 3]]) < Self.tolerance)
        #expect(largestDifference(changes[1], [[82, 104, 126], [164, 208, 252]]) < 2 * Self.tolerance)
    }

    @Test("PEFT's own pruned adapter of a real model")
    func real() throws {
        let adapter = try Adapter(path: prunedMiniLM)
        #expect(adapter.modules.count == 36)
        // b(T) = 36 modules · target_r 3.
        #expect(adapter.modules.map(\.rank).reduce(0, +) == 108)
        #expect(adapter.modules.contains { $0.rank == 0 } && adapter.modules.contains { $0.rank >= 7 })
        #expect(adapter.modules.allSatisfy { $0.pattern.count == 8 })
        #expect(adapter.settings.initialRank == 8 && adapter.settings.alpha == 32)
        #expect(adapter.settings.targetModules.count == 6)
        #expect(adapter.head.map(\.shape) == [[2], [2, 384]])
    }
}

/// What PEFT wrote at the end of a run on MiniLM: 36 modules, some at rank 0.
let prunedMiniLM = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/pruned-minilm-adapter"
