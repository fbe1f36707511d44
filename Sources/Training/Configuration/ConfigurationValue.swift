import Diagnostics
import Models
import Yams

/// A value in the YAML that does not suit its key.
struct ConfigurationMismatch: Error, Equatable {
    /// What the key takes, with an article: "an integer from 1 to 10".
    var expected: String
    /// What stands there, quoted.
    var found: String
    /// The nearest word that would suit, if one is near.
    var suggestion: String?

    /// The message's second half, after the place and the key.
    var sentence: String {
        let hint = suggestion.map { " (did you mean '\($0)'?)" } ?? ""
        return "expected \(expected), found \(found)\(hint)"
    }
}

/// What a key of the configuration can hold: read from a YAML node, printed back as YAML that reads as an equal value.
protocol ConfigurationValue: Equatable, Sendable {
    /// What a key of this type takes, for messages and for the reference. `limits` is the requirement's wording.
    static func described(limits: String) -> String

    init(node: Node) throws(ConfigurationMismatch)

    /// YAML of one line, the same at every call.
    var yamlText: String { get }

    /// Of a path, the same with the user's home folder for a leading `~`; nil where that cannot be told.
    var expandedPath: Self? { get }
}

extension ConfigurationValue {
    var expandedPath: Self? { self }

    static func mismatch(_ node: Node, limits: String = "") -> ConfigurationMismatch {
        ConfigurationMismatch(expected: described(limits: limits), found: node.quoted)
    }
}

extension Int: ConfigurationValue {
    static func described(limits: String) -> String { "an integer" + limits }

    /// Decimal digits only: YAML 1.1 would read `010` as 8 and `1:30` as 90, which nobody means here.
    init(node: Node) throws(ConfigurationMismatch) {
        guard let text = node.plainText else { throw Self.mismatch(node) }
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1, !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            digits == "0" || !digits.hasPrefix("0")
        else { throw Self.mismatch(node) }
        guard let value = Int(text) else { throw Self.mismatch(node, limits: " that fits in 64 bits") }
        self = value
    }

    var yamlText: String { String(self) }
}

extension Double: ConfigurationValue {
    static func described(limits: String) -> String { "a number" + limits }

    init(node: Node) throws(ConfigurationMismatch) {
        guard let text = node.plainText else { throw Self.mismatch(node) }
        let decimal = text.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
        guard let value = Double(decimal ? text : text.replacing(".", with: "")), decimal || !value.isFinite else {
            throw Self.mismatch(node)
        }
        guard value.isFinite else { throw Self.mismatch(node, limits: " that is finite") }
        self = value
    }

    /// The shortest digits that read back as the same value; with a point before an exponent, without which many
    /// YAML readers take `1e-08` for text.
    var yamlText: String {
        var text = description
        if text.hasSuffix(".0") {
            text.removeLast(2)
        } else if let exponent = text.firstIndex(of: "e"), !text.contains(".") {
            text.insert(contentsOf: ".0", at: exponent)
        }
        return text
    }
}

extension Bool: ConfigurationValue {
    static func described(limits: String) -> String { "true or false" + limits }

    init(node: Node) throws(ConfigurationMismatch) {
        switch node.plainText?.lowercased() {
        case "true", "yes", "on": self = true
        case "false", "no", "off": self = false
        default: throw Self.mismatch(node)
        }
    }

    var yamlText: String { self ? "true" : "false" }
}

extension String: ConfigurationValue {
    static func described(limits: String) -> String { "text" + limits }

    /// Any scalar but null: a column may be called `1` or `yes`.
    init(node: Node) throws(ConfigurationMismatch) {
        guard let scalar = node.scalar, !node.isNull else { throw Self.mismatch(node) }
        self = scalar.string
    }

    var yamlText: String { isPlainInYAML ? self : doubleQuoted }

    var expandedPath: String? { expandingHome(self) }
}

extension Array: ConfigurationValue where Element: ConfigurationListElement {
    static func described(limits: String) -> String { "a list of \(Element.plural)" + limits }

    init(node: Node) throws(ConfigurationMismatch) {
        guard let sequence = node.sequence else { throw Self.mismatch(node) }
        self = []
        for element in sequence {
            guard let value = try? Element(node: element) else { throw Self.mismatch(element) }
            append(value)
        }
    }

    var yamlText: String { "[" + map(\.yamlText).joined(separator: ", ") + "]" }
}

/// What a list in the configuration may hold.
protocol ConfigurationListElement: ConfigurationValue {
    /// What several of them are called.
    static var plural: String { get }
}

extension String: ConfigurationListElement {
    static var plural: String { "names" }
}

extension Int: ConfigurationListElement {
    static var plural: String { "integers" }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
    static func described(limits: String) -> String { Wrapped.described(limits: limits) + ", or null" }

    init(node: Node) throws(ConfigurationMismatch) {
        if node.isNull {
            self = nil
            return
        }
        do {
            self = try Wrapped(node: node)
        } catch {
            throw ConfigurationMismatch(
                expected: error.expected + ", or null", found: error.found, suggestion: error.suggestion)
        }
    }

    var yamlText: String { self?.yamlText ?? "null" }

    var expandedPath: Self? { map { path in path.expandedPath.map { .some($0) } } ?? .some(nil) }
}

/// A value that is one of a few words.
protocol ConfigurationChoice: ConfigurationValue, CaseIterable, RawRepresentable where RawValue == String {}

extension ConfigurationChoice {
    static func described(limits: String) -> String {
        "one of " + allCases.map(\.rawValue).joined(separator: ", ") + limits
    }

    init(node: Node) throws(ConfigurationMismatch) {
        guard let value = node.scalar.flatMap({ Self(rawValue: $0.string) }) else {
            var mismatch = Self.mismatch(node)
            mismatch.suggestion = node.scalar.flatMap { nearestName(to: $0.string, among: Self.allNames) }
            throw mismatch
        }
        self = value
    }

    private static var allNames: [String] { allCases.map(\.rawValue) }

    var yamlText: String { rawValue }
}

extension TrainingConfiguration.Task: ConfigurationChoice {}
extension TrainingConfiguration.Orthogonality: ConfigurationChoice {}
extension TrainingConfiguration.SensitivityPoint: ConfigurationChoice {}
extension TrainingConfiguration.ImportanceMeasure: ConfigurationChoice {}
extension TrainingConfiguration.BudgetForm: ConfigurationChoice {}
extension TrainingConfiguration.AdapterInitialization: ConfigurationChoice {}
extension TrainingConfiguration.DecayMode: ConfigurationChoice {}
extension TrainingConfiguration.AdapterNormalization: ConfigurationChoice {}
extension TrainingConfiguration.HeadInitialization: ConfigurationChoice {}
extension TrainingConfiguration.LearningRateSchedule: ConfigurationChoice {}
extension HCFormerConfiguration.Size: ConfigurationChoice {}
extension TrainingConfiguration.Method: ConfigurationChoice {}
extension TrainingConfiguration.AdapterForm: ConfigurationChoice {}
