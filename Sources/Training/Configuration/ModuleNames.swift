import PEFTFormat
import Yams

/// Modules of a network, as PEFT names them.
public enum ModuleNames: Equatable, Sendable {
    /// Each by its whole path, or by the end of it after a dot.
    case list([String])
    /// A regular expression over whole paths.
    case expression(String)

    /// PEFT's word for every linear layer but the head's, among the targets.
    static let allLinear = ModuleNames.expression("all-linear")

    /// As PEFT does, capitals or not.
    var isAllLinear: Bool {
        if case .expression(let text) = self { text.lowercased() == "all-linear" } else { false }
    }
}

extension ModuleNames: ConfigurationValue {
    static func described(limits: String) -> String { "a list of names, or a regular expression" + limits }

    init(node: Node) throws(ConfigurationMismatch) {
        guard node.scalar == nil else {
            let text = try String(node: node)
            do {
                _ = try ModuleExpression(text)
            } catch {
                throw ConfigurationMismatch(
                    expected: Self.described(limits: ""), found: "\(node.quoted): \(error.description)")
            }
            self = .expression(text)
            return
        }
        do {
            self = .list(try [String](node: node))
        } catch {
            throw ConfigurationMismatch(expected: Self.described(limits: ""), found: error.found)
        }
    }

    var yamlText: String {
        switch self {
        case .list(let names): names.yamlText
        case .expression(let text): text.yamlText
        }
    }
}

extension ConfigurationRequirement where Value == ModuleNames {
    static var modules: Self {
        Self(words: ", at least one, none empty") { modules in
            switch modules {
            case .list(let names): ConfigurationRequirement<[String]>.names.holds(names)
            case .expression(let text):
                ConfigurationRequirement<String>.name.holds(text) && (try? ModuleExpression(text)) != nil
            }
        }
    }
}

/// Numbers of layers: some, or one, as PEFT takes them.
struct LayerNumbers: ConfigurationValue {
    var numbers: [Int]

    static func described(limits: String) -> String { "an integer or a list of integers" + limits }

    init(_ numbers: [Int]) { self.numbers = numbers }

    init(node: Node) throws(ConfigurationMismatch) {
        do {
            numbers = node.scalar == nil ? try [Int](node: node) : [try Int(node: node)]
        } catch {
            throw ConfigurationMismatch(expected: Self.described(limits: ""), found: error.found)
        }
    }

    var yamlText: String { numbers.yamlText }
}

extension TrainingConfiguration.AdapterSettings {
    /// The layers, as they are written.
    var layerNumbers: LayerNumbers {
        get { LayerNumbers(layers) }
        set { layers = newValue.numbers }
    }
}

extension ConfigurationRequirement where Value == LayerNumbers {
    static var layers: Self {
        Self(words: " from 0 to 100000") { $0.numbers.allSatisfy { (0...100_000).contains($0) } }
    }
}
