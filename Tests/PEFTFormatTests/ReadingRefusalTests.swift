import Diagnostics
import FixtureFiles
import Foundation
import PEFTFormat
import Testing

@Suite("A bad adapter is refused with what is wrong and where")
struct ReadingRefusalTests {
    @Test("a folder, a configuration, weights that are not there")
    func missing() throws {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors)
        try FileManager.default.removeItem(atPath: adapter.path + "/adapter_model.safetensors")
        adapter.expectRefusal(.missingInput, says: "adapter_model.safetensors")
        try FileManager.default.removeItem(atPath: adapter.path + "/adapter_config.json")
        adapter.expectRefusal(.missingInput, says: "adapter_config.json: no such file")
        let error = #expect(throws: PEFTFormatError.self) { try Adapter(path: "/nowhere") }
        #expect(error?.kind == .missingInput)
    }

    @Test(
        "a configuration that is no JSON object",
        arguments: [
            "", "[]", "null", "{", "\u{0}", String(repeating: #"{"a":"#, count: 200_000),
            String(repeating: "[", count: 200_000),
        ])
    func noObject(text: String) throws {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors)
        try adapter.write(text, to: "adapter_config.json")
        adapter.expectRefusal(says: "adapter_config.json: not a JSON object")
    }

    @Test(
        "settings that are not what they should be",
        arguments: [
            (#"{"peft_type":null}"#, "peft_type"), (#"{"peft_type":"VERA"}"#, "VERA"),
            (#"{"init_r":0}"#, "init_r is 0"),
            (#"{"init_r":-1}"#, "init_r is -1"), (#"{"init_r":1.5}"#, "init_r is 1.5"),
            (#"{"init_r":1e300}"#, "init_r is"), (#"{"init_r":"8"}"#, "init_r is 8, expected a number"),
            (#"{"lora_alpha":[]}"#, "lora_alpha"), (#"{"lora_alpha":0}"#, "lora_alpha is 0"),
            (#"{"lora_alpha":-1}"#, "lora_alpha is -1"), (#"{"total_step":-5}"#, "total_step"),
            (#"{"rank_pattern":[]}"#, "rank_pattern"), (#"{"rank_pattern":{"bert.query.lora_E":3}}"#, "rank_pattern"),
            (#"{"bias":"all"}"#, "bias is all"), (#"{"use_dora":true}"#, "use_dora is true"),
            (#"{"fan_in_fan_out":true}"#, "fan_in_fan_out is true"), (#"{"use_rslora":true}"#, "use_rslora is true"),
        ])
    func settings(change: String, message: String) throws {
        let changes = try #require(try JSONSerialization.jsonObject(with: Data(change.utf8)) as? [String: Any])
        let configuration = AdapterFolder.adalora.merging(changes) { _, new in new }
        try AdapterFolder(configuration, AdapterFolder.adaloraTensors).expectRefusal(says: message)
    }

    @Test(
        "a pattern of ranks that does not fit the weights",
        arguments: [
            ("bert.query.lora_E", [true, false], "keeps 1 triplets of 'bert.query', the weights have 2"),
            ("bert.query.lora_E", [true, true, false], "3 flags for 'bert.query', expected init_r, 2"),
            ("bert.query.lora_E", [], "0 flags for 'bert.query', expected init_r, 2"),
            ("bert.key.lora_E", [true, true], "'bert.key', which has no weights"),
        ])
    func pattern(name: String, flags: [Bool], message: String) throws {
        let configuration = AdapterFolder.adalora.with(["rank_pattern": [name: flags]])
        try AdapterFolder(configuration, AdapterFolder.adaloraTensors).expectRefusal(says: message)
    }

    @Test("without a pattern of ranks, every module has init_r triplets")
    func noPattern() throws {
        let configuration = AdapterFolder.adalora.with(["init_r": 3])
        try AdapterFolder(configuration, AdapterFolder.adaloraTensors)
            .expectRefusal(says: "'bert.query' has 2 triplets, expected init_r, 3")
    }

    @Test(
        "tensors that do not fit each other",
        arguments: [
            ("bert.query.lora_A", [6], "'base_model.model.bert.query.lora_A'"),
            ("bert.query.lora_A", [3, 2], "do not fit"), ("bert.query.lora_B", [4], "do not fit"),
            ("bert.query.lora_B", [4, 1], "do not fit"), ("bert.query.lora_E", [2], "lora_E' has shape [2]"),
            ("bert.query.lora_E", [1, 2], "lora_E' has shape [1, 2], expected [2, 1]"),
        ])
    func shapes(name: String, shape: [Int], message: String) throws {
        let values = try #require(AdapterFolder.adaloraTensors[name]).values
        try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors.with([name: (shape, values)]))
            .expectRefusal(says: message)
    }

    @Test("a part of a module that is missing", arguments: ["lora_A", "lora_E", "lora_B"])
    func missingPart(part: String) throws {
        try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors.filter { $0.key != "bert.query.\(part)" })
            .expectRefusal(says: ".lora_")
    }

    @Test(
        "tensors that this program would have to leave out",
        arguments: [
            "bert.key.lora_E", "bert.query.lora_magnitude_vector", "bert.embeddings.lora_embedding_A",
            "bert.query.bias", "bert.pooler.dense.bias",
        ])
    func unknown(name: String) throws {
        try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors.with([name: ([1], [1])]))
            .expectRefusal(says: "'base_model.model.\(name)'")
    }

    @Test("names without PEFT's prefix")
    func prefix() throws {
        try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors, prefix: "")
            .expectRefusal(says: "no tensor named base_model.model.MODULE.lora_A")
    }

    @Test("the weights of the other kind")
    func otherKind() throws {
        try AdapterFolder(AdapterFolder.adalora, AdapterFolder.loraTensors).expectRefusal(says: "MODULE.lora_A;")
        try AdapterFolder(AdapterFolder.lora, AdapterFolder.adaloraTensors).expectRefusal(says: "MODULE.lora_A.weight")
    }

    @Test("shapes that cost nothing to write and would cost all memory to read")
    func hostileShapes() throws {
        let vast = 1 << 50
        try AdapterFolder(
            AdapterFolder.lora,
            AdapterFolder.loraTensors.with([
                "bert.query.lora_A.weight": ([vast, 0], []), "bert.query.lora_B.weight": ([0, vast], []),
            ])
        ).expectRefusal(says: "bert.query.lora_A")
        try AdapterFolder(
            AdapterFolder.adalora, AdapterFolder.adaloraTensors.with(["classifier.weight": ([vast, 0], [])])
        ).expectRefusal(says: "classifier.weight")
    }

    @Test(
        "patterns of a LoRA adapter that cannot be read as PEFT would",
        arguments: [
            (#"{"alpha_pattern":{"(?i).*query":6}}"#, "alpha_pattern has the key '(?i).*query': a group with '?'"),
            (#"{"rank_pattern":{"(query":6}}"#, "rank_pattern has the key '(query': a '(' without its ')'"),
            (#"{"alpha_pattern":{"bert.query":0}}"#, "alpha_pattern"),
            (#"{"alpha_pattern":["query"]}"#, "alpha_pattern"),
            (#"{"alpha_pattern":{"query":"6"}}"#, "alpha_pattern"),
            (#"{"lora_bias":true}"#, "lora_bias is true"), (#"{"r":1}"#, "'bert.query' has 2 triplets"),
        ])
    func loraPatterns(change: String, message: String) throws {
        let changes = try #require(try JSONSerialization.jsonObject(with: Data(change.utf8)) as? [String: Any])
        let configuration = AdapterFolder.lora.merging(changes) { _, new in new }
        try AdapterFolder(configuration, AdapterFolder.loraTensors).expectRefusal(says: message)
    }
}
