import Diagnostics
import FixtureFiles
import Foundation
import Models
import Testing

@testable import Training

/// Which modules PEFT adapts; see Tests/goldens/make_target_goldens.py.
private struct TargetGolden: Decodable, Sendable {
    /// A list of names, or an expression.
    struct Names: Decodable, Sendable {
        let modules: ModuleNames

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                modules = .expression(text)
            } else {
                modules = .list(try container.decode([String].self))
            }
        }
    }

    let model: String
    let targetModules: Names
    let excludeModules: Names?
    let layersToTransform: [Int]?
    let modulesToSave: [String]?
    let modules: [String]
}

@Suite("Modules are chosen as PEFT chooses them")
struct TargetModulesTests {
    private func settings(
        _ targets: ModuleNames?, excluding excluded: ModuleNames? = nil, layers: [Int] = []
    ) -> TrainingConfiguration.AdapterSettings {
        var settings = TrainingConfiguration(model: "", train: "", output: "").adapter
        settings.targetModules = targets
        settings.excludedModules = excluded
        settings.layers = layers
        return settings
    }

    private func encoder(_ name: String) throws -> TextEncoder {
        let path = name == "tiny-bert" ? name : "encoders/" + name
        return try ModelFolder.loadEncoder(path: Fixture.path(path), dropout: 0)
    }

    @Test("lists, expressions, exclusions, layers, and what is saved instead")
    func goldens() throws {
        let goldens = try Fixture.json("target-golden.json", as: [TargetGolden].self)
        #expect(goldens.count >= 30)
        for golden in goldens {
            let encoder = try encoder(golden.model)
            let saved = try TargetModules.saved(
                golden.modulesToSave ?? [], among: encoder.tensors.map(\.module))
            let found = try TargetModules.matching(
                settings(
                    golden.targetModules.modules, excluding: golden.excludeModules?.modules,
                    layers: golden.layersToTransform ?? []), among: encoder.linears
            ).map(\.path).filter { !saved.contains($0) }
            #expect(Set(found) == Set(golden.modules), "\(golden)")
            #expect(found.count == golden.modules.count)
        }
    }

    @Test("every family's own modules are the linear layers of its blocks")
    func defaults() throws {
        for name in ["tiny-bert"] + EncoderGoldenTests.names {
            let encoder = try encoder(name)
            let found = try TargetModules.matching(
                settings(.list(type(of: encoder.family).targetModules)), among: encoder.linears
            ).map(\.path)
            let blocks = encoder.linears.map(\.path).filter {
                TargetModules.layerNumber($0) != nil && !$0.hasSuffix("pos_key_proj") && !$0.hasSuffix("pos_query_proj")
            }
            #expect(found == blocks, "\(name)")
        }
    }

    /// Of an HCFormer, whose stages have numbers as well, PEFT takes that of the block; of experts, that of their layer.
    @Test("a layer's number is the first that stands behind two parts of a path")
    func layerNumbers() {
        for (path, number) in [
            ("stages.0.blocks.1.fc1", 1), ("model.layers.3.experts.7.up", 3), ("layer.2.dense", nil),
            ("a.layer.2", nil),
        ] {
            #expect(TargetModules.layerNumber(path) == number, "\(path)")
        }
    }

    @Test("what matches nothing is refused with what there is")
    func refusals() throws {
        let linears = try encoder("tiny-bert").linears
        for (settings, message) in [
            (settings(.list(["q_proj"])), "'q_proj' matches no linear layer of the model; its layers end in"),
            (settings(.expression("query")), "the expression 'query' matches the whole path of no linear layer"),
            (settings(.list(["query"]), excluding: .list(["gate"])), "exclude_modules: 'gate' matches no linear layer"),
            (settings(.list(["query"]), excluding: .expression(".*")), "together leave no layer to adapt"),
            (settings(.list(["query"]), excluding: .allLinear), "exclude_modules: the expression 'all-linear' matches"),
            (settings(.expression("(?=.*(?=.*(?=.*(?=.*x)))).*")), "takes too long to match"),
            (settings(.list(["query"]), layers: [7]), "together leave no layer to adapt"),
        ] {
            let error = #expect(throws: TrainingError.self) { try TargetModules.matching(settings, among: linears) }
            #expect(
                error?.kind == .usage && error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        #expect(throws: TrainingError.self) { try TargetModules.saved(["gate"], among: linears.map(\.path)) }
        #expect(
            try TargetModules.saved(["pooler", "layer.1.output.dense"], among: linears.map(\.path))
                == ["bert.encoder.layer.1.output.dense", "bert.pooler.dense"])
        #expect(try TargetModules.saved(["classifier"], among: linears.map(\.path)).isEmpty)
    }
}
