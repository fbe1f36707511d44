import Diagnostics
public import MessagePassing
import Yams

/// One key of a sweep's configuration.
private struct SweepField: Sendable {
    let key: String
    let isRequired: Bool
    let summary: String
    let assign: @Sendable (inout SweepConfiguration, Node) throws(ConfigurationMismatch) -> Void
    let yamlText: @Sendable (SweepConfiguration) -> String

    init<Value: ConfigurationValue>(
        _ key: String, _ path: any WritableKeyPath<SweepConfiguration, Value> & Sendable,
        limits requirement: ConfigurationRequirement<Value> = .none, isRequired: Bool = false, _ summary: String
    ) {
        self.key = key
        self.isRequired = isRequired
        self.summary = summary
        assign = { configuration, node throws(ConfigurationMismatch) in
            configuration[keyPath: path] = try requirement.expanded(try requirement.read(node))
        }
        yamlText = { $0[keyPath: path].yamlText }
    }

    static let all: [SweepField] = [
        .init("m", \.m, limits: .each(.range(1...65_536)), isRequired: true, "Hidden numbers of a network."),
        .init(
            "alpha", \.alpha, limits: .each(.init(words: " from 0 to 100") { (0...100).contains($0) }),
            isRequired: true, "How fast the features' probabilities fall: p_i ∝ i^−alpha."),
        .init(
            "gamma", \.gamma, limits: .each(.init(words: " from -100 to 100") { (-100...100).contains($0) }),
            "Decay of the rows of W; below 0, growth to unit length."),
        .init("n", \.n, limits: .each(.range(1...1_000_000)), "Features."),
        .init("seed", \.seed, limits: .each(.range(0...Int.max)), "Keys of the random numbers."),
        .init("bias", \.bias, "What b begins as."),
        .init("steps", \.steps, limits: .range(1...100_000_000), "Steps of each cell."),
        .init("batch_size", \.batchSize, limits: .range(1...1_048_576), "Samples of a step, all new."),
        .init("lr", \.learningRate, limits: .notNegative, "Highest learning rate; a cosine lowers it to 5 % of that."),
        .init(
            "warmup_steps", \.warmUpSteps, limits: .orNull(.range(0...100_000_000)),
            "Steps over which the rate rises; null for a tenth of all."),
        .init(
            "evaluation_samples", \.evaluationSamples, limits: .range(1...1_000_000_000),
            "New samples that the final loss is measured on."),
        .init("output", \.output, limits: .path, isRequired: true, "Folder of the sweep."),
    ]
}

extension SweepConfiguration {
    /// Reads a sweep's configuration file.
    ///
    /// - Parameters:
    ///   - path: the YAML file.
    ///   - overrides: `KEY=VALUE` each; they win over the file, the later over the earlier.
    /// - Throws: `.missingInput` if the file cannot be read, `.usage` if what it says cannot be used.
    public static func load(path: String, overrides: [String] = []) throws(ConfigurationError) -> Self {
        try Self(yaml: TrainingConfiguration.text(of: path), path: path, overrides: overrides)
    }

    /// The configuration that process 0 reads. Collective.
    public static func broadcasted(
        path: String, overrides: [String], _ communicator: borrowing Communicator
    ) throws -> Self {
        let text = communicator.processIndex == 0 ? try TrainingConfiguration.text(of: path) : ""
        return try Self(yaml: try communicator.broadcasted(text, from: 0), path: path, overrides: overrides)
    }

    /// A configuration from a text that was read already; `path` names it in messages.
    public init(yaml: String, path: String, overrides: [String] = []) throws(ConfigurationError) {
        var entries = try ConfigurationDocument(text: yaml, path: path).entries
        for option in overrides { entries.append(try ConfigurationDocument.override(option)) }
        self.init()
        for entry in entries {
            guard let field = SweepField.all.first(where: { $0.key == entry.key }) else {
                let hint = nearestName(to: entry.key, among: SweepField.all.map(\.key)).map { "did you mean '\($0)'?" }
                throw ConfigurationError(
                    .usage,
                    "\(entry.place): unknown key '\(entry.key.shortened.oneLine)'; "
                        + (hint ?? "'rankwise superposition sweep --help-config' lists the keys"))
            }
            do throws(ConfigurationMismatch) {
                try field.assign(&self, entry.value)
            } catch {
                throw ConfigurationError(.usage, "\(entry.place): \(field.key): \(error.sentence)")
            }
        }
        let given = Set(entries.map(\.key))
        for field in SweepField.all where field.isRequired && !given.contains(field.key) {
            throw ConfigurationError(
                .usage,
                "\(path): missing key '\(field.key)' (\(field.summary)) Add it to the file, or give --set \(field.key)=…"
            )
        }
        if let contradiction { throw ConfigurationError(.usage, "\(path): \(contradiction)") }
    }

    /// Every key written out. Equal configurations give the same bytes; the text loads back to an equal one.
    public var resolvedYAML: String {
        SweepField.all.map { "\($0.key): \($0.yamlText(self))\n" }.joined()
    }

    /// All keys with their defaults, for people.
    public static var keysHelp: String {
        let defaults = SweepConfiguration()
        return SweepField.all.map { field in
            "\(field.key): \(field.isRequired ? "…" : field.yamlText(defaults))".padding(to: 28) + "# \(field.summary)"
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
