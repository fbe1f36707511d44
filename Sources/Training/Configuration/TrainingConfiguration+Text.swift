import Diagnostics
import Foundation
import Yams

/// A key whose value differs between two configurations.
public struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
    /// The key, with its section.
    public let key: String
    /// The value in the configuration that was asked, as YAML.
    public let here: String
    /// The value in the other one, as YAML.
    public let there: String

    /// The three on one line.
    public var description: String { "\(key) is \(here) here and \(there) there" }
}

extension TrainingConfiguration {
    /// The whole configuration as YAML, every key written out in the order of the reference. Equal configurations give the
    /// same bytes; the text loads back to an equal configuration.
    public var resolvedYAML: String {
        var lines: [String] = []
        for (section, _) in ConfigurationField.sections {
            if !section.isEmpty { lines.append("\(section):") }
            let indentation = section.isEmpty ? "" : "  "
            for field in ConfigurationField.all where field.section == section {
                lines.append("\(indentation)\(field.name): \(field.yamlText(self))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The value of a key as text, without the quotes of YAML.
    ///
    /// - Throws: `ConfigurationError` (`usage`) if there is no such key.
    public func value(of key: String) throws(ConfigurationError) -> String {
        guard let field = ConfigurationField.byKey[key] else {
            throw ConfigurationError(.usage, "--show: \(Self.unknown(key))")
        }
        let text = field.yamlText(self)
        guard let node = try? Yams.compose(yaml: text), let scalar = node.scalar else { return text }
        return scalar.string
    }

    /// What `config.yaml` in a run's folder begins with.
    static let storedHeader = "# Written by 'rankwise train': the configuration of this run, every key.\n"

    /// The contents of `config.yaml` in a run's folder.
    var storedText: String { Self.storedHeader + resolvedYAML }

    /// Whether a file holds what ``storedText`` gives. Builds that wrote no header wrote every key, which no user does.
    static func isStored(_ contents: Data) -> Bool {
        if contents.starts(with: Data(storedHeader.utf8)) { return true }
        let text = String(decoding: contents, as: UTF8.self)
        let keys = (try? ConfigurationDocument(text: text, path: "").entries.count) ?? 0
        return keys > ConfigurationField.all.count / 2
    }

    /// The keys that a resumed run must not change, one `key: value` a line in the order of the reference: two runs whose
    /// texts are equal may continue each other's checkpoints, if model and data are the same.
    public var digestText: String {
        ConfigurationField.all.filter { $0.resume == .fixed }
            .map { "\($0.key): \($0.yamlText(self))\n" }.joined()
    }

    /// The keys that a resumed run must not change and whose values differ from those of `other`, in the order of the
    /// reference. Output, checkpoints, threads, logging and evaluation may change; model and training data are compared
    /// by digest, elsewhere.
    ///
    /// - Parameter other: the configuration of the checkpoint.
    public func differences(from other: TrainingConfiguration) -> [ConfigurationDifference] {
        ConfigurationField.all.filter { $0.resume == .fixed }.compactMap { field in
            let here = field.yamlText(self)
            let there = field.yamlText(other)
            return here == there ? nil : ConfigurationDifference(key: field.key, here: here, there: there)
        }
    }
}
