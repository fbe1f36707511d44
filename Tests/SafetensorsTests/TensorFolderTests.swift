import Diagnostics
import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("Model folders")
struct TensorFolderTests {
    private let folder: Fixture.TemporaryFolder

    init() throws { folder = try Fixture.TemporaryFolder() }

    private func shard(_ name: String, _ values: [String: Float]) throws {
        try SafetensorsWriter.write(
            values.map { TensorToWrite(name: $0.key, shape: [1], values: [$0.value]) }, metadata: [:],
            to: folder.path + "/" + name)
    }

    private func index(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/model.safetensors.index.json"))
    }

    private func index(_ files: [String: String]) throws {
        let map = try JSONSerialization.data(withJSONObject: files)
        try index(#"{"metadata":{"total_size":8},"weight_map":\#(String(decoding: map, as: UTF8.self))}"#)
    }

    private func expectRefusal(_ kind: FailureKind, says message: String) {
        do {
            _ = try TensorFolder(path: folder.path)
            Issue.record("read without a complaint")
        } catch {
            #expect(error.kind == kind, "\(error)")
            #expect(error.description.contains(message), "\(error)")
            #expect(error.description.contains(folder.path) && !error.description.contains("\n"), "\(error)")
        }
    }

    @Test("shards are one name space")
    func shards() throws {
        try shard("model-00001-of-00002.safetensors", ["a_b": 1, "c": 2])
        try shard("model-00002-of-00002.safetensors", ["d": 3])
        try index([
            "a_b": "model-00001-of-00002.safetensors", "c": "model-00001-of-00002.safetensors",
            "d": "model-00002-of-00002.safetensors",
        ])
        let tensors = try TensorFolder(path: folder.path)
        #expect(tensors.tensorNames == ["a_b", "c", "d"])
        #expect(try tensors.floats(of: "a_b", shape: [1]) == [1])
        #expect(try tensors.floats(of: "d", shape: [1]) == [3])
        #expect(try tensors.mappedFloats(of: "d", shape: [1]).map { Array($0) } == [3])
        #expect(tensors.tensor(named: "c")?.shape == [1])
        #expect(tensors.tensor(named: "e") == nil)
        let error = #expect(throws: SafetensorsError.self) { try tensors.floats(of: "e", shape: [1]) }
        #expect(error?.description.contains("no tensor 'e'") == true)
    }

    @Test("layer norms' gamma and beta are weight and bias, unless the folder has these, too")
    func oldNames() throws {
        try shard(
            "model.safetensors",
            [
                "x.LayerNorm.gamma": 1, "x.LayerNorm.beta": 2, "y.LayerNorm.gamma": 3, "y.LayerNorm.weight": 4,
                "gamma": 5,
            ])
        let tensors = try TensorFolder(path: folder.path)
        #expect(
            tensors.tensorNames.sorted() == [
                "gamma", "x.LayerNorm.bias", "x.LayerNorm.weight", "y.LayerNorm.gamma", "y.LayerNorm.weight",
            ])
        #expect(try tensors.floats(of: "x.LayerNorm.weight", shape: [1]) == [1])
        #expect(try tensors.floats(of: "x.LayerNorm.gamma", shape: [1]) == [1])
        #expect(try tensors.floats(of: "x.LayerNorm.bias", shape: [1]) == [2])
        #expect(try tensors.floats(of: "y.LayerNorm.weight", shape: [1]) == [4])
        #expect(tensors.storedName(of: "x.LayerNorm.bias") == "x.LayerNorm.beta")
    }

    /// As `safetensors.torch.save_model` writes them.
    @Test("a tied tensor is stored once and found by each of its names")
    func tied() throws {
        try SafetensorsWriter.write(
            [TensorToWrite(name: "a", shape: [2], values: [1, 2])],
            metadata: ["format": "pt", "b": "a", "c": "gone", "a": "a"], to: folder.path + "/model.safetensors")
        let tensors = try TensorFolder(path: folder.path)
        #expect(tensors.tensorNames == ["a"] && tensors.tiedNames == ["b": "a"])
        #expect(tensors.tensor(named: "b") == tensors.tensor(named: "a"))
        #expect(try tensors.floats(of: "b", shape: [2]) == [1, 2])
        let (one, other) = (
            try tensors.mappedFloats(of: "a", shape: [2]), try tensors.mappedFloats(of: "b", shape: [2])
        )
        #expect(one?.baseAddress == other?.baseAddress)
        #expect(tensors.tensor(named: "c") == nil && tensors.tensor(named: "format") == nil)
    }

    @Test("one file goes before an index")
    func oneFile() throws {
        try shard("model.safetensors", ["a": 1])
        try index(["a": "elsewhere.safetensors"])
        #expect(try TensorFolder(path: folder.path).tensorNames == ["a"])
    }

    @Test("a folder without weights is a missing input")
    func nothing() { expectRefusal(.missingInput, says: "no model.safetensors") }

    @Test("a folder that holds pickled weights only is told how to convert them")
    func pickled() throws {
        try Data().write(to: URL(fileURLWithPath: folder.path + "/pytorch_model.bin"))
        expectRefusal(.missingInput, says: "safe_serialization=True")
    }

    @Test("a shard that the index names and that is not there is a missing input")
    func missingShard() throws {
        try index(["a": "model-00001-of-00001.safetensors"])
        expectRefusal(.missingInput, says: "model-00001-of-00001.safetensors")
    }

    @Test(
        "an index that leads out of the folder is refused",
        arguments: [
            "../model.safetensors", "/etc/model.safetensors", "sub/model.safetensors", "..", "a\u{0}.safetensors",
            "pytorch_model.bin", "",
        ])
    func outside(name: String) throws {
        try index(["a": name])
        expectRefusal(.badData, says: "expected a .safetensors file of the same folder")
    }

    @Test(
        "an index that is no index is refused",
        arguments: [
            "", "[]", "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":"a"}"#,
            #"{"weight_map":"# + String(repeating: "[", count: 100_000),
            String(repeating: #"{"weight_map":"#, count: 100_000),
        ])
    func noIndex(text: String) throws {
        try index(text)
        expectRefusal(.badData, says: "expected a JSON object with 'weight_map'")
    }

    @Test("an index of nothing is refused")
    func emptyIndex() throws {
        try index([String: String]())
        expectRefusal(.badData, says: "names no files")
    }

    @Test("a tensor in two shards is refused, with both")
    func twice() throws {
        try shard("one.safetensors", ["a": 1])
        try shard("two.safetensors", ["a": 2])
        try index(["a": "one.safetensors", "b": "two.safetensors"])
        expectRefusal(.badData, says: "'a' stands in 'one.safetensors' and in 'two.safetensors'")
    }
}
