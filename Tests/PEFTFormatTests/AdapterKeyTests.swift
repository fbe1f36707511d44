import Diagnostics
import FixtureFiles
import Foundation
import PEFTFormat
import Testing

@Suite("Every key of an adapter's configuration is understood, or the adapter is refused by the key's name")
struct AdapterKeyTests {
    private typealias Object = [String: Any]

    /// What PEFT writes for each start; see Tests/goldens/make_adapter_goldens.py.
    private static func golden() throws -> Object {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/lora-starts.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? Object)
    }

    private func adapter(_ configuration: Object, _ changes: Object = [:]) throws -> AdapterFolder {
        let fitting: Object = ["r": 2, "lora_alpha": 4]
        return try AdapterFolder(
            configuration.merging(fitting) { _, new in new }.merging(changes) { _, new in new },
            AdapterFolder.loraTensors)
    }

    @Test(
        "starts that leave the base's weights as they are",
        arguments: ["true", "false", #""gaussian""#, #""orthogonal""#, #""mica""#, #""eva""#])
    func startsBesideTheBase(start: String) throws {
        let configuration = try #require((try Self.golden()["starts"] as? [String: Object])?[start])
        let plain = try AdapterFolder(AdapterFolder.lora, AdapterFolder.loraTensors).read()
        #expect(try adapter(configuration).read().modules == plain.modules)
    }

    @Test(
        "starts that take a part out of the base's weights",
        arguments: ["pissa", "pissa_niter_4", "olora", "corda", "lora_ga", "loftq"])
    func startsFromTheBase(start: String) throws {
        let configuration = try #require((try Self.golden()["starts"] as? [String: Object])?["\"\(start)\""])
        try adapter(configuration).expectRefusal(says: "init_lora_weights is \(start), ")
        try adapter(configuration).expectRefusal(says: "path_initial_model_for_weight_conversion")
    }

    @Test("a start that PEFT has not yet")
    func newStart() throws {
        try adapter(AdapterFolder.lora, ["init_lora_weights": "svd"]).expectRefusal(says: "init_lora_weights is svd")
        try adapter(AdapterFolder.lora, ["init_lora_weights": 3]).expectRefusal(says: "init_lora_weights is 3")
    }

    @Test("aLoRA, as PEFT writes it")
    func activated() throws {
        let configuration = try #require(try Self.golden()["activated"] as? Object)
        try adapter(configuration).expectRefusal(says: "alora_invocation_tokens is an array")
    }

    @Test(
        "what changes the arithmetic, or the network",
        arguments: [
            ("use_dora", "true"), ("use_dora", "1"), ("use_rslora", "true"), ("use_qalora", "true"),
            ("use_bdlora", #"{"nblocks": 2}"#), ("fan_in_fan_out", "true"), ("lora_bias", "true"), ("bias", #""all""#),
            ("velora_config", #"{"scale": 1}"#), ("kasa_config", #"{"beta": 0}"#), ("monteclora_config", #"{"a": 1}"#),
            ("arrow_config", #"{"top_k": 3}"#), ("trainable_token_indices", "[1]"),
            ("target_parameters", #"["a"]"#), ("layer_replication", "[[0, 1], [0, 1]]"), ("a_later_key", "16"),
            ("a_later_key", #""word""#), ("a_later_key", "true"),
        ])
    func refused(key: String, value: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        for configuration in [AdapterFolder.lora, AdapterFolder.adalora] {
            let tensors =
                configuration["peft_type"] as? String == "LORA"
                ? AdapterFolder.loraTensors : AdapterFolder.adaloraTensors
            try AdapterFolder(configuration.with([key: value]), tensors).expectRefusal(says: "\(key) is ")
        }
    }

    @Test(
        "values that switch nothing on, keys that are for training alone, and keys of other programs",
        arguments: [
            #"{"alora_invocation_tokens": null, "layer_replication": [], "use_dora": false, "bias": null}"#,
            #"{"a_later_key": null, "a_later_switch": false, "a_later_config": {}, "a_later_list": [], "a_later_word": ""}"#,
            #"{"loftq_config": {"loftq_bits": 4}, "eva_config": {"rho": 2}, "qalora_group_size": 16, "revision": "main"}"#,
            #"{"unsloth_fixed": true, "enable_lora": null, "merge_weights": false, "peft_version": "0.18.0"}"#,
            #"{"runtime_config": {"ephemeral_gpu_offload": false}, "auto_mapping": {"base_model_class": "BertModel"}}"#,
        ])
    func accepted(change: String) throws {
        let changes = try #require(try JSONSerialization.jsonObject(with: Data(change.utf8)) as? Object)
        #expect(try adapter(AdapterFolder.lora, changes).read().modules.count == 1)
    }

    @Test("of a key that stands twice, the last counts, as for Python")
    func twice() throws {
        let folder = try AdapterFolder(AdapterFolder.lora, AdapterFolder.loraTensors)
        try folder.write(#"{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "lora_alpha": 4}"#, to: "adapter_config.json")
        #expect(try folder.read().settings.alpha == 4)
    }

    @Test("weights that were saved for PyTorch alone")
    func pickled() throws {
        let folder = try AdapterFolder(AdapterFolder.lora, AdapterFolder.loraTensors)
        try FileManager.default.removeItem(atPath: folder.path + "/adapter_model.safetensors")
        try folder.write("", to: "adapter_model.bin")
        folder.expectRefusal(.missingInput, says: "adapter_model.bin: a PyTorch file, which this")
    }
}
