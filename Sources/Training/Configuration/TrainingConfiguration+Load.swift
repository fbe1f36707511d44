import Diagnostics
import Foundation

extension TrainingConfiguration {
    /// Reads a configuration file.
    ///
    /// - Parameters:
    ///   - path: the YAML file.
    ///   - overrides: `KEY=VALUE` each, as after `--set`: the key with its section, the value in YAML. They win over the
    ///     file, the later over the earlier.
    /// - Throws: `.missingInput` if the file cannot be read, `.usage` if what it says cannot be used.
    public static func load(path: String, overrides: [String] = []) throws(ConfigurationError) -> Self {
        try Self(yaml: text(of: path), path: path, overrides: overrides)
    }

    /// A configuration from a text that a user wrote and that was read already. A path's leading `~` is the home folder.
    ///
    /// - Parameters:
    ///   - yaml: the text of the file.
    ///   - path: the file that it came from, for messages.
    ///   - overrides: as for `load(path:overrides:)`.
    /// - Throws: `.usage`, naming file and line or the override.
    public init(yaml: String, path: String, overrides: [String] = []) throws(ConfigurationError) {
        try self.init(text: yaml, path: path, overrides: overrides)
        for field in ConfigurationField.all {
            do throws(ConfigurationMismatch) {
                try field.expand(&self)
            } catch {
                throw ConfigurationError(.usage, "\(path): \(field.key): \(error.sentence)")
            }
        }
    }

    private init(text yaml: String, path: String, overrides: [String] = []) throws(ConfigurationError) {
        var entries = try ConfigurationDocument(text: yaml, path: path).entries
        for option in overrides { entries.append(try ConfigurationDocument.override(option)) }
        self.init(model: "", train: "", output: "")
        for entry in entries { try apply(entry) }
        let given = Set(entries.map(\.key))
        for field in ConfigurationField.all where field.isRequired && !given.contains(field.key) {
            throw ConfigurationError(
                .usage,
                "\(path): missing key '\(field.key)' (\(field.summary)) Add it to the file, or give --set \(field.key)=…"
            )
        }
        if let contradiction {
            throw ConfigurationError(.usage, "\(path): \(contradiction)")
        }
    }

    /// The configuration that a run stored with `resolvedYAML`. Keys that it lacks, because it was written before they
    /// existed, have their defaults.
    ///
    /// - Parameters:
    ///   - resolvedYAML: the stored text.
    ///   - path: where it was stored, for messages.
    /// - Throws: `.badData`.
    public init(resolvedYAML: String, path: String) throws(ConfigurationError) {
        do {
            try self.init(text: resolvedYAML, path: path)
        } catch {
            throw ConfigurationError(.badData, error.description)
        }
    }

    private mutating func apply(_ entry: ConfigurationDocument.Entry) throws(ConfigurationError) {
        guard let field = ConfigurationField.byKey[entry.key] else {
            throw ConfigurationError(.usage, "\(entry.place): \(Self.unknown(entry.key))")
        }
        do throws(ConfigurationMismatch) {
            try field.assign(&self, entry.value)
        } catch {
            throw ConfigurationError(.usage, "\(entry.place): \(field.key): \(error.sentence)")
        }
    }

    static func unknown(_ key: String) -> String {
        let known = ConfigurationField.all.map(\.key) + ConfigurationField.sections.dropFirst().map(\.name)
        let hint = nearestName(to: key, among: known).map { "did you mean '\($0)'?" }
        return "unknown key '\(key.shortened.oneLine)'; \(hint ?? "docs/configuration.md lists the keys")"
    }

    /// The text of a file, read no further than a configuration can be long, so that a device or a pipe without end does
    /// not hang the job.
    static func text(of path: String) throws(ConfigurationError) -> String {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            data = try file.read(upToCount: ConfigurationDocument.maximumBytes + 1) ?? Data()
        } catch {
            throw ConfigurationError(
                .missingInput, "\(path): the configuration cannot be read (\(plainReason(error))); check --config")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError(.usage, "\(path): not UTF-8 text; save the file as UTF-8")
        }
        return text
    }
}
