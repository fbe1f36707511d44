import Yams

/// One key of the configuration: everything that reading, printing, checking, resuming and documenting need to know.
struct ConfigurationField: Sendable {
    /// What a resumed run may do with a key.
    enum ResumeRule: Sendable {
        /// It must be the checkpoint's.
        case fixed
        /// It may change.
        case free
        /// The path may change, the content must be the same; the caller compares digests.
        case byDigest
    }

    /// The key, with its section: `adapter.init_r`.
    let key: String
    let summary: String
    let isRequired: Bool
    let resume: ResumeRule
    /// What the key takes: "an integer from 1 to 10".
    let expected: String
    let assign: @Sendable (inout TrainingConfiguration, Node) throws(ConfigurationMismatch) -> Void
    /// Replaces a leading `~` of a path by the home folder.
    let expand: @Sendable (inout TrainingConfiguration) throws(ConfigurationMismatch) -> Void
    let yamlText: @Sendable (TrainingConfiguration) -> String
    /// What is wrong with the key's value, if anything.
    let mismatch: @Sendable (TrainingConfiguration) -> ConfigurationMismatch?

    /// - Parameters:
    ///   - path: where the value is kept.
    ///   - requirement: its limits, beyond those of its type.
    ///   - summary: one sentence for the reference.
    init<Value: ConfigurationValue>(
        _ key: String, _ path: any WritableKeyPath<TrainingConfiguration, Value> & Sendable,
        limits requirement: ConfigurationRequirement<Value> = .none, isRequired: Bool = false,
        resume: ResumeRule = .fixed,
        _ summary: String
    ) {
        let expected = Value.described(limits: requirement.words)
        self.key = key
        self.summary = summary
        self.isRequired = isRequired
        self.resume = resume
        self.expected = expected
        self.assign = { configuration, node throws(ConfigurationMismatch) in
            configuration[keyPath: path] = try requirement.read(node)
        }
        self.expand = { configuration throws(ConfigurationMismatch) in
            configuration[keyPath: path] = try requirement.expanded(configuration[keyPath: path])
        }
        self.yamlText = { $0[keyPath: path].yamlText }
        self.mismatch = { configuration in
            let value = configuration[keyPath: path]
            if requirement.holds(value) { return nil }
            return ConfigurationMismatch(expected: expected, found: value.yamlText.shortened)
        }
    }

    /// The default as YAML; `nil` for a key that must be given.
    var defaultText: String? {
        isRequired ? nil : yamlText(TrainingConfiguration(model: "", train: "", output: ""))
    }

    /// The section of the key, empty for the top level.
    var section: Substring {
        key.firstIndex(of: ".").map { key[..<$0] } ?? ""
    }

    /// The key within its section.
    var name: Substring {
        key.firstIndex(of: ".").map { key[key.index(after: $0)...] } ?? key[...]
    }
}
