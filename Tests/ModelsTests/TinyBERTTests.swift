import Diagnostics
import FixtureFiles
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
import Testing

/// What PyTorch computes for a small random BERT; see Tests/goldens/make_goldens.py.
struct TinyBERTGolden: Decodable {
    struct Sequence: Decodable {
        let inputIds: [Int32]
        let tokenTypeIds: [Int32]
    }

    let sequences: [Sequence]
    let lastHiddenStatesFloat64: [[[Double]]]
    let pooledFloat64: [[Double]]
    let pooledOfFloat16Weights: [[Double]]
    let pooledOfBfloat16Weights: [[Double]]

    /// All sequences in lanes of the given sizes.
    func batch(lanes sizes: [Int]) -> PackedBatch {
        var rest = sequences.map { TokenSequence(tokens: $0.inputIds, types: $0.tokenTypeIds) }[...]
        let lanes = sizes.map { size in
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
        return PackedBatch(lanes: lanes, firstLane: 0, firstSlot: 0)
    }
}

@Suite("BERT computes what PyTorch computes")
struct TinyBERTTests {
    private let golden: TinyBERTGolden

    init() throws {
        golden = try Fixture.json("tiny-bert-golden.json")
    }

    private func pooled(_ folder: String) throws -> [[Float]] {
        let encoder = try ModelFolder.loadEncoder(path: Fixture.path(folder))
        let batch = golden.batch(lanes: [5, 1, 6])
        let samples = batch.samples()
        let pooled = encoder.features(batch, pass: .inference)
        return samples.sequences.map { Array(pooled.row($0.rows.lowerBound)) }
    }

    @Test(
        "hidden states, with and without the prefix on tensor names", arguments: ["tiny-bert", "tiny-bert-classifier"])
    func hiddenStates(folder: String) throws {
        let encoder = try ModelFolder.loadEncoder(path: Fixture.path(folder))
        let batch = golden.batch(lanes: [5, 1, 6])
        let hidden = encoder.hiddenStates(batch, pass: .inference)
        for (sequence, expected) in zip(batch.sequences, golden.lastHiddenStatesFloat64) {
            for (row, states) in zip(sequence.rows, expected) {
                for (found, state) in zip(hidden.row(row), states) {
                    // PyTorch's own single precision is off by up to 1.4e-6 here.
                    #expect(abs(Double(found) - state) < 5e-6)
                }
            }
        }
    }

    @Test("pooled vectors, of float32, float16 and bfloat16 weights")
    func pooledVectors() throws {
        for (folder, expected) in [
            ("tiny-bert", golden.pooledFloat64), ("tiny-bert-float16", golden.pooledOfFloat16Weights),
            ("tiny-bert-bfloat16", golden.pooledOfBfloat16Weights),
        ] {
            for (found, vector) in zip(try pooled(folder), expected) {
                for (a, b) in zip(found, vector) { #expect(abs(Double(a) - b) < 5e-6, "\(folder)") }
            }
        }
    }

    @Test("a sequence has the same bits whatever else is in the batch")
    func placement() throws {
        let encoder = try ModelFolder.loadEncoder(path: Fixture.path("tiny-bert"))
        func hidden(_ batch: PackedBatch) -> [[Float]] {
            let states = encoder.hiddenStates(batch, pass: .inference)
            return batch.sequences.map { $0.rows.flatMap { Array(states.row($0)) } }
        }
        let whole = hidden(golden.batch(lanes: [3, 3, 3, 3]))
        let sequences = golden.sequences.map { TokenSequence(tokens: $0.inputIds, types: $0.tokenTypeIds) }
        for lane in 0..<4 {
            let part = hidden(
                PackedBatch(
                    lanes: [Array(sequences[lane * 3..<lane * 3 + 3])], firstLane: lane, firstSlot: lane * 3))
            #expect(part == Array(whole[lane * 3..<lane * 3 + 3]))
        }
    }
}

@Suite("A model folder that cannot be used is an error")
struct ModelFolderTests {
    private func expectError(_ path: String, _ kind: FailureKind, containing text: String) {
        #expect {
            _ = try ModelFolder.loadEncoder(path: path)
        } throws: { error in
            guard let error = error as? ModelError else { return false }
            return error.kind == kind && error.description.contains(text)
        }
    }

    /// tiny-bert with one entry of config.json replaced.
    private func folder(replacing old: String, with new: String) throws -> Fixture.TemporaryFolder {
        let folder = try Fixture.TemporaryFolder()
        let source = URL(fileURLWithPath: Fixture.path("tiny-bert"))
        let target = URL(fileURLWithPath: folder.path)
        let text = try String(contentsOf: source.appending(path: "config.json"), encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(
            to: target.appending(path: "config.json"), atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(
            at: source.appending(path: "model.safetensors"), to: target.appending(path: "model.safetensors"))
        return folder
    }

    @Test("no such folder")
    func missing() {
        expectError("/nowhere/model", .missingInput, containing: "no such model folder")
    }

    @Test(
        "a configuration of another architecture, or with impossible numbers",
        arguments: [
            ("\"bert\"", "\"gpt2\"", "model_type is 'gpt2'"),
            ("\"hidden_size\": 32", "\"hidden_size\": -1", "hidden_size is -1"),
            ("\"hidden_size\": 32", "\"hidden_size\": 1e300", "hidden_size"),
            ("\"hidden_size\": 32", "\"hidden_size\": \"many\"", "hidden_size is many"),
            ("\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "not a multiple"),
            ("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"", "hidden_act is 'relu'"),
        ])
    func configuration(old: String, new: String, message: String) throws {
        let folder = try folder(replacing: old, with: new)
        expectError(folder.path, .badData, containing: message)
    }

    @Test("tensors of another shape than the configuration says")
    func shape() throws {
        let folder = try folder(replacing: "\"intermediate_size\": 64", with: "\"intermediate_size\": 65")
        #expect {
            _ = try ModelFolder.loadEncoder(path: folder.path)
        } throws: {
            "\($0)".contains("has shape [64, 32], expected [65, 32]")
        }
    }
}

@Suite("Configurations of BERT")
struct BERTConfigurationTests {
    @Test(
        "keys that change what the network computes are refused by name",
        arguments: [
            ("is_decoder", "true"), ("add_cross_attention", "true"), ("pruned_heads", #"{"0": [1]}"#),
            ("quantization_config", #"{"quant_method": "bitsandbytes"}"#), ("hidden_act", #""gelu_new""#),
            ("hidden_act", #""relu""#), ("position_embedding_type", #""relative_key""#), ("layer_norm_eps", "-1"),
            ("layer_norm_eps", #""small""#), ("hidden_size", "30"), ("num_attention_heads", "0"), ("vocab_size", "1.5"),
        ])
    func refused(key: String, value: String) throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(#"{"\#(key)": \#(value)}"#.utf8)) as? [String: Any])
        let error = #expect(throws: ModelError.self) { try BERTConfiguration(json: json, path: "config.json") }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains(key) == true, "\(String(describing: error))")
    }

    @Test("keys that change nothing, or are empty, are read past")
    func accepted() throws {
        let json = #"""
            {"pruned_heads": {}, "chunk_size_feed_forward": 16, "is_decoder": false, "add_cross_attention": false,
             "quantization_config": null, "use_cache": true, "tie_word_embeddings": false, "output_attentions": true}
            """#
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(try BERTConfiguration(json: object, path: "config.json").hiddenWidth == 768)
    }
}
