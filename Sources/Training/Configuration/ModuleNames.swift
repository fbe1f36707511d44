import PEFTFormat
import Yams

/// Modules of a network, as PEFT names them.
public enum ModuleNames: Equatable, Sendable {
    /// Each by its whole path, or by the end of it after a dot.
    case list([String])
    /// A regular expression over whole paths.
    case expression(String)

    /// PEFT's word for every linear layer but the head's.
    static let allLinear = ModuleNames.expression("all-linear")

    /// - Throws: `ModuleExpressionError` for an expression that cannot be read.
    func matcher() throws(ModuleExpressionError) -> (_ path: String) -> Bool {
        switch self {
        case .list(let names): return { path in names.contains { TargetModules.matches($0, path) } }
        case .allLinear: return { _ in true }
        case .expression(let text):
            let expression = try ModuleExpression(text)
            return { expression.matchesWhole($0) }
        }
    }
}

extension ModuleNames: ConfigurationValue {
    static func described(limits: String) -> String { "a list of names, or a regular expression" + limits }

    init(node: Node) throws(ConfigurationMismatch) {
        guard node.scalar == nil else {
            self = .expression(try String(node: node))
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
                ConfigurationRequirement<String>.name.holds(text) && (try? modules.matcher()) != nil
            }
        }
    }
}

extension ConfigurationRequirement where Value == [Int] {
    static var layers: Self { Self(words: " from 0") { $0.allSatisfy { (0...100_000).contains($0) } } }
}
