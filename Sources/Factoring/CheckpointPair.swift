import Diagnostics
import Foundation
import Models
import Safetensors

/// Two checkpoints of one network, before and after fine-tuning, with their tensors paired.
///
/// A checkpoint of the bare network lacks the prefix that its tensors have in one with a head (`bert.`), so names are
/// compared with it added or dropped, as more of them fit.
public struct CheckpointPair {
    /// A linear layer that both have.
    struct Linear {
        /// Dotted path in a model with a head, as PEFT names it.
        let path: String
        let baseName: String
        let tunedName: String
        let outputs: Int
        let inputs: Int
    }

    /// A tensor that both have and that is no linear layer's weight.
    struct Other {
        let baseName: String
        let tunedName: String
    }

    let base: TensorFolder
    let tuned: TensorFolder
    /// In the order of their paths, numbers by their value.
    let linears: [Linear]
    let others: [Other]
    /// Tensors of the tuned model's head, and of a pooler that the base lacks.
    let headNames: [String]
    /// Tensors that the base alone has.
    let baseOnly: [String]
    /// The tuned model's `config.json`.
    let configuration: [String: Any]
    /// The base's folder.
    let basePath: String

    /// First components of the tensors of heads, as transformers names them.
    private static let heads: Set = [
        "classifier", "score", "lm_head", "qa_outputs", "cls", "classification_head", "pre_classifier",
    ]

    /// - Throws: ``FactoringError``, `ModelError`, `SafetensorsError` for folders that are no checkpoints of one network.
    public init(base basePath: String, tuned tunedPath: String) throws {
        let baseConfiguration = try ModelFolder.readConfiguration(path: basePath)
        configuration = try ModelFolder.readConfiguration(path: tunedPath)
        let family = try Self.family(baseConfiguration, of: basePath, and: configuration, of: tunedPath)
        base = try TensorFolder(path: basePath)
        tuned = try TensorFolder(path: tunedPath)
        self.basePath = basePath
        let tunedNames = Set(tuned.tensorNames)
        guard let naming = Naming.best(from: base.tensorNames, to: tunedNames) else {
            throw FactoringError(
                .badData,
                "\(tunedPath): none of its tensors is named like one of \(basePath), for instance '\(base.tensorNames.first ?? "")'; "
                    + "are these checkpoints of one network?")
        }
        var linears: [Linear] = []
        var others: [Other] = []
        var baseOnly: [String] = []
        var paired = Set<String>()
        for name in base.tensorNames where !Self.isHead(name) {
            let tunedName = naming.name(name)
            guard let before = base.tensor(named: name) else { continue }
            guard let after = tuned.tensor(named: tunedName) else {
                guard !name.contains(where: \.isNumber) else {
                    throw FactoringError(
                        .badData,
                        "\(tunedPath): no tensor '\(tunedName)', which \(basePath) has; are these checkpoints of one network?"
                    )
                }
                baseOnly.append(name)
                continue
            }
            paired.insert(tunedName)
            guard Self.isLinear(name, shape: before.shape) else {
                others.append(Other(baseName: name, tunedName: tunedName))
                continue
            }
            guard after.shape == before.shape else {
                throw FactoringError(
                    .badData,
                    "\(tunedPath): '\(tunedName)' has shape \(after.shape), in \(basePath) \(before.shape); expected one network"
                )
            }
            let fullName = name.utf8.count > tunedName.utf8.count ? name : tunedName
            linears.append(
                Linear(
                    path: Self.path(fullName, family: family), baseName: name, tunedName: tunedName,
                    outputs: before.shape[0], inputs: before.shape[1]))
        }
        let unpaired = tuned.tensorNames.filter { !paired.contains($0) && !Self.isHead($0) }
        let pooler = unpaired.filter { Self.isPooler($0, family: family) }
        if let stranger = unpaired.first(where: { !pooler.contains($0) }) {
            throw FactoringError(
                .badData,
                "\(tunedPath): '\(stranger)' has no counterpart in \(basePath); are these checkpoints of one network?")
        }
        guard !linears.isEmpty else {
            throw FactoringError(.badData, "\(basePath): no linear layer that \(tunedPath) has, too")
        }
        self.linears = linears.sorted { $0.path.compare($1.path, options: [.numeric, .literal]) == .orderedAscending }
        self.others = others
        self.baseOnly = baseOnly
        headNames = pooler + Self.changedHead(of: tuned, base: base)
    }

    /// The family of both.
    private static func family(
        _ base: [String: Any], of basePath: String, and tuned: [String: Any], of tunedPath: String
    ) throws(FactoringError) -> String {
        let family = base["model_type"] as? String ?? "missing"
        let tunedFamily = tuned["model_type"] as? String ?? "missing"
        guard family == tunedFamily else {
            throw FactoringError(
                .badData,
                "\(tunedPath): model_type is '\(tunedFamily)', that of \(basePath) '\(family)'; expected one network")
        }
        guard !["gpt2", "openai-gpt"].contains(family) else {
            throw FactoringError(
                .badData, "\(basePath): model_type '\(family)' stores its layers as [in, out]; expected [out, in]")
        }
        return family
    }

    /// Whether a tensor is of a BERT's pooler, which a base that was trained for other tasks does not have.
    private static func isPooler(_ name: String, family: String) -> Bool {
        family == "bert"
            && ["pooler.dense.weight", "pooler.dense.bias"].contains { name == $0 || name == "bert." + $0 }
    }

    private static func isHead(_ name: String) -> Bool { heads.contains(String(name.prefix { $0 != "." })) }

    /// Whether a tensor is the weight of a linear layer; embeddings are matrices, too, but are looked up, not multiplied.
    private static func isLinear(_ name: String, shape: [Int]) -> Bool {
        let parts = name.split(separator: ".")
        let lookups: Set<Substring> = ["wte", "wpe", "shared", "relative_attention_bias"]
        return shape.count == 2 && shape.allSatisfy { $0 > 0 } && parts.count > 1 && parts.last == "weight"
            && !parts.contains { lookups.contains($0) || $0.lowercased().contains("embed") }
    }

    /// The layer of a weight. A BERT is always adapted within a model that has a head, where its layers begin with `bert.`.
    private static func path(_ name: String, family: String) -> String {
        fullName(String(name.dropLast(".weight".count)), family: family)
    }

    private static func fullName(_ name: String, family: String) -> String {
        family == "bert" && !name.hasPrefix("bert.") ? "bert." + name : name
    }

    /// What an adapter calls a tensor of the tuned model's head, or its pooler.
    func nameWithAdapter(ofHead name: String) -> String {
        Self.isHead(name) ? name : Self.fullName(name, family: configuration["model_type"] as? String ?? "")
    }

    /// The tensors of every module of the tuned model's head that is not the base's, too.
    private static func changedHead(of tuned: TensorFolder, base: TensorFolder) -> [String] {
        let names = tuned.tensorNames.filter(isHead).sorted()
        let changed = names.filter { name in
            guard let before = base.tensor(named: name), let after = tuned.tensor(named: name),
                before.shape == after.shape, before.elementType == after.elementType,
                let old = base.bytes(of: name), let new = tuned.bytes(of: name)
            else { return true }
            return !old.elementsEqual(new)
        }
        let modules = Set(changed.map { $0.prefix { $0 != "." } })
        return names.filter { name in modules.contains(name.prefix { $0 != "." }) }
    }
}

/// How a name of the base becomes one of the tuned model's.
private enum Naming {
    case same
    case adding(String)
    case dropping(String)

    func name(_ name: String) -> String {
        switch self {
        case .same: name
        case .adding(let prefix): prefix + name
        case .dropping(let prefix): name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        }
    }

    /// The naming under which most names fit; nil if none does under any.
    static func best(from names: [String], to others: Set<String>) -> Naming? {
        func prefixes(_ names: some Sequence<String>) -> [String] {
            Set(names.map { $0.prefix { $0 != "." } + "." }).sorted().prefix(64).map { $0 }
        }
        let candidates = [.same] + prefixes(others).map(Naming.adding) + prefixes(names).map(Naming.dropping)
        var best: (count: Int, naming: Naming)?
        for candidate in candidates {
            let count = names.count { others.contains(candidate.name($0)) }
            if count > best?.count ?? 0 { best = (count, candidate) }
        }
        return best?.naming
    }
}
