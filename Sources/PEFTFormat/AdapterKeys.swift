import JSONText

/// What this program understands of each key of PEFT's `adapter_config.json`: the keys of LoraConfig, AdaLoraConfig and
/// PeftConfig from PEFT 0.10 to 0.21.
///
/// A key that is not listed, of a later PEFT or of another program, passes with a value that switches nothing on (null,
/// false, 0, or empty), and so does null for every key. With any other value the adapter is refused by the key's name: PEFT
/// drops keys that it does not know with a warning, and a version that knows one may compute something else.
enum AdapterKeys {
    /// The values of a key with which an adapter is read.
    enum Understood {
        /// The key is read, or has no say in what the adapter computes.
        case all
        /// Those that leave the adapter plain.
        case off(because: String)
        /// The starts of training that leave the base's weights as they are.
        case startsBesideTheBase
        /// One word.
        case word(String)
    }

    private static let isPlain = "this program reads plain adapters only"

    static let understood: [String: Understood] = [
        // Read.
        "peft_type": .all, "r": .all, "init_r": .all, "target_r": .all, "tinit": .all, "tfinal": .all, "deltaT": .all,
        "beta1": .all, "beta2": .all, "orth_reg_weight": .all, "total_step": .all, "lora_alpha": .all,
        "lora_dropout": .all, "rank_pattern": .all, "alpha_pattern": .all, "target_modules": .all,
        "base_model_name_or_path": .all, "task_type": .all,
        // Which layers and tensors there are: the weights say it themselves.
        "exclude_modules": .all, "layers_to_transform": .all, "layers_pattern": .all, "modules_to_save": .all,
        "ensure_weight_tying": .all,
        // Of the files' origin, of training alone, or of other kinds of layers.
        "auto_mapping": .all, "peft_version": .all, "revision": .all, "inference_mode": .all, "runtime_config": .all,
        "megatron_config": .all, "megatron_core": .all, "unsloth_fixed": .all,
        // How something works that its own key switches on.
        "loftq_config": .all, "eva_config": .all, "corda_config": .all, "lora_ga_config": .all,
        "qalora_group_size": .all,
        // Starts. PiSSA and its kind train what they take out of the base's weights.
        "init_lora_weights": .startsBesideTheBase,
        // Other arithmetic.
        "bias": .word("none"), "fan_in_fan_out": .off(because: isPlain), "use_rslora": .off(because: isPlain),
        "use_dora": .off(because: isPlain), "lora_bias": .off(because: isPlain),
        "use_qalora": .off(because: isPlain), "use_bdlora": .off(because: isPlain),
        "velora_config": .off(because: isPlain), "kasa_config": .off(because: isPlain),
        "monteclora_config": .off(because: isPlain), "arrow_config": .off(because: isPlain),
        "alora_invocation_tokens": .off(because: "an aLoRA, which acts on a part of the tokens; \(isPlain)"),
        "trainable_token_indices": .off(because: isPlain), "target_parameters": .off(because: isPlain),
        "layer_replication": .off(because: "the layers of the base are stacked anew; \(isPlain)"),
    ]

    /// What is wrong with a key's value; nil if nothing is.
    static func complaint(_ key: String, _ value: JSONValue) -> String? {
        guard !value.isNull else { return nil }
        switch understood[key] {
        case .all: return nil
        case .word(let word):
            return value.stringValue == word ? nil : "\(key) is \(value.shown), expected \(word)"
        case .off(let reason):
            return value.switchesNothingOn ? nil : "\(key) is \(value.shown); \(reason)"
        case .startsBesideTheBase: return startComplaint(key, value)
        case nil:
            return value.switchesNothingOn
                ? nil
                : "\(key) is \(value.shown), a key that this program does not know; if it says nothing of what the "
                    + "adapter computes, remove it from the file"
        }
    }

    /// Starts that take nothing out of the base's weights; PEFT does not tell capitals from small letters here.
    private static let startsBesideTheBase: Set = ["gaussian", "orthogonal", "eva", "mica"]

    private static func startComplaint(_ key: String, _ value: JSONValue) -> String? {
        guard value.booleanValue == nil, !startsBesideTheBase.contains(value.stringValue?.lowercased() ?? "") else {
            return nil
        }
        return
            "\(key) is \(value.shown), so that the adapter belongs to what is left of the base after a part was taken out "
            + "of its weights, and fits no whole base; save with PEFT what merge_and_unload gives, a whole model, or an ordinary "
            + "LoRA with save_pretrained(path_initial_model_for_weight_conversion=…), which leaves out the head"
    }
}

extension JSONValue {
    /// Whether Python takes the value for false.
    fileprivate var switchesNothingOn: Bool {
        switch self {
        case .null: true
        case .boolean(let value): !value
        case .number: doubleValue == 0
        case .string(let value): value.isEmpty
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        }
    }

    /// The value as a message shows it.
    var shown: String {
        switch self {
        case .string(let value): String(value.prefix(60))
        case .number(let spelling): String(spelling.prefix(60))
        case .boolean(let value): String(value)
        case .null, .array, .object: kindName
        }
    }
}
