import Diagnostics
import Foundation
import JSONText

/// PEFT's `adapter_config.json`, as far as this program reads it.
struct AdapterConfiguration {
    static let fileName = "adapter_config.json"

    enum Kind: String {
        case adalora = "ADALORA"
        case lora = "LORA"
    }

    let path: String
    let kind: Kind
    private let json: [String: JSONValue]

    init(folder: String) throws(PEFTFormatError) {
        path = folder + "/" + Self.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            throw PEFTFormatError(
                .missingInput,
                "\(path): no such file; an adapter's folder holds adapter_config.json and adapter_model.safetensors")
        }
        json = try JSONFile.values(path)
        guard let kind = (json["peft_type"]?.stringValue).flatMap(Kind.init) else {
            throw PEFTFormatError(
                .badData, "\(path): peft_type is \(json["peft_type"]?.shown ?? "missing"), expected ADALORA or LORA")
        }
        self.kind = kind
        for (key, value) in json.sorted(by: { $0.key < $1.key }) {
            guard let complaint = AdapterKeys.complaint(key, value) else { continue }
            throw PEFTFormatError(.badData, "\(path): \(complaint)")
        }
    }

    func number(_ key: String, default fallback: Double) throws(PEFTFormatError) -> Double {
        guard let value = json[key], !value.isNull else { return fallback }
        guard let number = value.doubleValue, number.isFinite else {
            throw PEFTFormatError(.badData, "\(path): \(key) is \(value.shown), expected a number")
        }
        return number
    }

    func count(_ key: String, default fallback: Int, in range: ClosedRange<Int> = 0...1_000_000_000)
        throws(PEFTFormatError) -> Int
    {
        guard let count = Int(exactly: try number(key, default: Double(fallback))), range.contains(count) else {
            throw PEFTFormatError(
                .badData,
                "\(path): \(key) is \(json[key]?.shown ?? "missing"), expected a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return count
    }

    /// A list of names, or one name.
    func names(_ key: String) -> [String] {
        json[key]?.arrayValue?.compactMap(\.stringValue) ?? (json[key]?.stringValue).map { [$0] } ?? []
    }

    func text(_ key: String) -> String? { json[key]?.stringValue }

    /// `rank_pattern` of an ADALORA adapter: flags by module path; nil where there is none.
    func flags() throws(PEFTFormatError) -> [String: [Bool]]? {
        guard let value = json["rank_pattern"], !value.isNull else { return nil }
        var flags: [String: [Bool]] = [:]
        for member in value.members ?? [] {
            let kept = member.value.arrayValue?.compactMap(\.booleanValue)
            guard let kept, kept.count == member.value.arrayValue?.count else { break }
            flags[member.key.hasSuffix(".lora_E") ? String(member.key.dropLast(".lora_E".count)) : member.key] = kept
        }
        guard let members = value.members, Set(members.map(\.key)).count == flags.count else {
            throw PEFTFormatError(.badData, "\(path): rank_pattern is not an object of lists of true and false")
        }
        return flags
    }

    /// `rank_pattern` or `alpha_pattern` of a LoRA adapter.
    func pattern(_ key: String) throws(PEFTFormatError) -> ModulePattern {
        let place = "\(path): \(key)"
        guard let value = json[key], !value.isNull else { return try ModulePattern([], place: place) }
        guard let members = value.members else {
            throw PEFTFormatError(.badData, "\(place) is \(value.kindName), expected an object of numbers")
        }
        return try ModulePattern(members, place: place)
    }

    /// The training settings.
    func settings() throws(PEFTFormatError) -> AdapterSettings {
        let rank = try count(kind == .adalora ? "init_r" : "r", default: 8, in: 1...65_536)
        // PEFT takes init_r for an alpha that is not positive.
        let alpha = try number("lora_alpha", default: 8)
        guard alpha > 0, Float(alpha).isFinite else {
            throw PEFTFormatError(
                .badData, "\(path): lora_alpha is \(json["lora_alpha"]?.shown ?? "missing"), expected a number above 0")
        }
        return AdapterSettings(
            initialRank: rank, targetRank: try count("target_r", default: rank),
            initialSteps: try count("tinit", default: 0), finalSteps: try count("tfinal", default: 0),
            interval: try count("deltaT", default: 1), beta1: try number("beta1", default: 0.85),
            beta2: try number("beta2", default: 0.85),
            orthogonalityWeight: try number("orth_reg_weight", default: 0.5),
            totalSteps: try count("total_step", default: 1), alpha: alpha,
            dropout: try number("lora_dropout", default: 0), targetModules: names("target_modules"),
            baseModel: text("base_model_name_or_path") ?? "")
    }
}
