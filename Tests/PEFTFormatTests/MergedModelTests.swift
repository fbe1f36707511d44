import Diagnostics
import FixtureFiles
import Foundation
import PEFTFormat
import Safetensors
import Testing

/// What transformers calls a BERT with a head.
private let bert = MergedForm(
    root: "bert.", architecture: "BertForSequenceClassification", requiredLayers: ["bert.pooler.dense"])

@Suite("Merged models")
struct MergedModelTests {
    private let target: Fixture.TemporaryFolder
    private let adapter: Adapter
    private var path: String { target.path + "/merged" }

    /// Three classes.
    private let task = TaskDescription(
        task: TaskDescription.classification, labels: ["bad", "fine", "good"], maximumLength: nil, textColumn: "text",
        textPairColumn: nil, labelColumn: "label", modelDigest: nil)

    init() throws {
        target = try Fixture.TemporaryFolder()
        adapter = try Adapter(path: Fixture.path("tiny-bert-pruned-adapter"))
    }

    private func configuration() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/config.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func floats(_ folder: TensorFolder, _ name: String) throws -> [Float] {
        try folder.floats(of: name, shape: try #require(folder.tensor(named: name), "\(name)").shape)
    }

    /// A copy of a model's folder whose weights a closure rewrites.
    private func copy(
        of model: String, _ rewrite: ([TensorToWrite], SafetensorsFile, String) throws -> Void
    ) throws -> String {
        let folder = target.path + "/base"
        try FileManager.default.copyItem(atPath: Fixture.path(model), toPath: folder)
        let source = try SafetensorsFile(path: Fixture.path(model) + "/model.safetensors")
        let tensors = try source.tensorNames.map { name in
            let tensor = try #require(source.tensor(named: name))
            return TensorToWrite(
                name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: source.bytes(of: tensor))
        }
        try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
        try rewrite(tensors, source, folder)
        return folder
    }

    @Test("tied weights of the base become weights of their own, each with its module's change")
    func tiedWeights() throws {
        let names = [0, 1].map { "encoder.layer.\($0).intermediate.dense.weight" }
        let base = try copy(of: "tiny-bert") { tensors, source, folder in
            try SafetensorsWriter.write(
                tensors.filter { $0.name != names[1] }, metadata: ["format": "pt", names[1]: names[0]],
                to: folder + "/model.safetensors")
            withExtendedLifetime(source) {}
        }
        try adapter.writeMerged(to: path, baseFolder: base, form: bert, task: task)
        let (before, after) = (try TensorFolder(path: base), try TensorFolder(path: path))
        let old = try floats(before, names[0])
        for name in names {
            let module = try #require(adapter.modules.first { $0.path + ".weight" == "bert." + name })
            let change = weightChange(of: module, scale: Double(adapter.settings.scale)).joined()
            let new = try floats(after, "bert." + name)
            #expect(after.tensorNames.contains("bert." + name))
            for (place, change) in change.enumerated() {
                // Rounded once to single precision.
                #expect(abs(Double(new[place]) - Double(old[place]) - change) < 1e-6)
            }
        }
    }

    @Test(
        "are W0 + ΔW where a module has triplets, the base elsewhere, whatever the base's type",
        arguments: ["tiny-bert", "tiny-bert-float16", "tiny-bert-bfloat16"])
    func weights(base: String) throws {
        try adapter.writeMerged(to: path, baseFolder: Fixture.path(base), form: bert, task: task)
        let (before, after) = (try TensorFolder(path: Fixture.path(base)), try TensorFolder(path: path))
        #expect(after.tensorNames.count == before.tensorNames.count + 2)
        for name in before.tensorNames {
            let (old, new) = (try floats(before, name), try floats(after, "bert." + name))
            guard let module = adapter.modules.first(where: { $0.path + ".weight" == "bert." + name }) else {
                #expect(old == new, "\(name)")
                continue
            }
            let change = weightChange(of: module, scale: Double(adapter.settings.scale)).joined()
            // One rounding to single precision of numbers below 4.
            let differences = zip(zip(old, change), new).map { abs(Double($0.0) + $0.1 - Double($1)) }
            #expect(differences.allSatisfy { $0 < 2e-7 }, "\(name)")
            #expect((old == new) == (module.rank == 0), "\(name)")
            #expect(after.tensor(named: "bert." + name)?.elementType == .float32)
        }
        for tensor in adapter.head {
            #expect(try after.floats(of: tensor.name, shape: tensor.shape) == tensor.values)
        }
    }

    @Test("have a single-precision classifier's configuration, and the base's other files")
    func classifier() throws {
        try adapter.writeMerged(to: path, baseFolder: Fixture.path("tiny-bert-bfloat16"), form: bert, task: task)
        let json = try configuration()
        #expect(json["architectures"] as? [String] == ["BertForSequenceClassification"])
        #expect(json["id2label"] as? [String: String] == ["0": "bad", "1": "fine", "2": "good"])
        #expect(json["label2id"] as? [String: Int] == ["bad": 0, "fine": 1, "good": 2])
        #expect(json["problem_type"] as? String == "single_label_classification")
        #expect(json["dtype"] as? String == "float32" && json["torch_dtype"] as? String == "float32")
        #expect(json["hidden_size"] as? Int == 32 && json["model_type"] as? String == "bert")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                == ["config.json", "model.safetensors", "rankwise.json", "vocab.txt"])
    }

    @Test("of a regression have one output")
    func regression() throws {
        let adapter = try Adapter(path: Fixture.path("tiny-bert-regression-adapter"))
        let task = try TaskDescription(
            adapterFolder: Fixture.path("tiny-bert-regression-adapter"), outputCount: adapter.outputCount)
        try adapter.writeMerged(to: path, baseFolder: Fixture.path("tiny-bert"), form: bert, task: task)
        let json = try configuration()
        #expect(json["problem_type"] as? String == "regression")
        #expect(json["id2label"] as? [String: String] == ["0": "LABEL_0"])
    }

    @Test("are the same from a base with prefixed names, and from shards")
    func prefixedShards() throws {
        try adapter.writeMerged(to: path, baseFolder: Fixture.path("tiny-bert"), form: bert, task: task)
        let base = try copy(of: "tiny-bert") { tensors, source, folder in
            let renamed = try tensors.map { tensor in
                TensorToWrite(
                    name: "bert." + tensor.name, elementType: tensor.elementType, shape: tensor.shape,
                    bytes: source.bytes(of: try #require(source.tensor(named: tensor.name))))
            }
            var map: [String: String] = [:]
            for (shard, part) in [renamed[..<20], renamed[20...]].enumerated() {
                let name = "model-0000\(shard + 1)-of-00002.safetensors"
                try SafetensorsWriter.write(Array(part), metadata: [:], to: folder + "/" + name)
                for tensor in part { map[tensor.name] = name }
            }
            try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(
                to: URL(fileURLWithPath: folder + "/model.safetensors.index.json"))
        }
        try adapter.writeMerged(to: path + "2", baseFolder: base, form: bert, task: task)
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let same = FileManager.default.contentsEqual(atPath: "\(path)/\(name)", andPath: "\(path)2/\(name)")
            #expect(same, "\(name)")
        }
        #expect(!FileManager.default.fileExists(atPath: path + "2/model.safetensors.index.json"))
    }

    @Test("take the adapter's head where the base has one of its own")
    func ownHead() throws {
        try adapter.writeMerged(to: path, baseFolder: Fixture.path("tiny-bert-classifier"), form: bert, task: task)
        let after = try TensorFolder(path: path)
        #expect(after.tensorNames.filter { $0.contains("classifier") } == ["classifier.bias", "classifier.weight"])
        let head = try #require(adapter.head.first { $0.name == "classifier.weight" })
        #expect(try after.floats(of: head.name, shape: head.shape) == head.values)
    }

    private func expectRefusal(of base: String, _ kind: FailureKind, says message: String) {
        do {
            try adapter.writeMerged(to: path, baseFolder: base, form: bert, task: task)
            Issue.record("merged without a complaint")
        } catch {
            #expect((error as? any Diagnosis)?.kind == kind, "\(error)")
            #expect(String(describing: error).contains(message), "\(error)")
            #expect(!FileManager.default.fileExists(atPath: path), "something was written")
        }
    }

    @Test("are refused for another base: no such module, another shape, no configuration, nothing there")
    func otherBase() throws {
        expectRefusal(of: "/nowhere", .missingInput, says: "no model.safetensors")
        let base = try copy(of: "tiny-bert") { tensors, _, folder in
            try SafetensorsWriter.write(
                tensors.filter { !$0.name.contains("layer.1") }, metadata: [:], to: folder + "/model.safetensors")
        }
        expectRefusal(of: base, .badData, says: "no tensor 'bert.encoder.layer.1.attention.output.dense.weight'")
        try FileManager.default.removeItem(atPath: base)
        let other = try copy(of: "tiny-bert") { tensors, _, folder in
            let name = "encoder.layer.0.attention.self.key.weight"
            try SafetensorsWriter.write(
                tensors.filter { $0.name != name }
                    + [TensorToWrite(name: name, shape: [2, 2], values: [0, 0, 0, 0])],
                metadata: [:], to: folder + "/model.safetensors")
        }
        expectRefusal(of: other, .badData, says: "has shape [2, 2], the adapter's [32, 32]")
        try FileManager.default.removeItem(atPath: other)
        let bare = try copy(of: "tiny-bert") { tensors, _, folder in
            try SafetensorsWriter.write(tensors, metadata: [:], to: folder + "/model.safetensors")
            try FileManager.default.removeItem(atPath: folder + "/config.json")
        }
        expectRefusal(of: bare, .missingInput, says: "config.json")
    }

    @Test("are never written into the base's folder")
    func intoBase() throws {
        let base = try copy(of: "tiny-bert") { tensors, _, folder in
            try SafetensorsWriter.write(tensors, metadata: [:], to: folder + "/model.safetensors")
        }
        let before = try Data(contentsOf: URL(fileURLWithPath: base + "/model.safetensors"))
        let error = #expect(throws: PEFTFormatError.self) {
            try adapter.writeMerged(to: base, baseFolder: base, form: bert, task: task)
        }
        #expect(error?.kind == .usage)
        #expect(try Data(contentsOf: URL(fileURLWithPath: base + "/model.safetensors")) == before)
    }
}
