import Diagnostics

/// `rank_pattern` or `alpha_pattern` of a LoRA adapter: a number for each module whose path is a key, or ends with one
/// after a dot.
///
/// PEFT takes keys for regular expressions, and the first that matches in the order of the file. Keys that are not plain
/// names, and modules that two keys give different numbers, are refused.
struct ModulePattern {
    private let numbers: [String: Double]
    /// File and key, for messages.
    private let place: String

    init(_ numbers: [String: Double], place: String) throws(PEFTFormatError) {
        for (name, number) in numbers.sorted(by: { $0.key < $1.key }) {
            guard name.allSatisfy({ $0.isLetter || $0.isNumber || "._-".contains($0) }) else {
                throw PEFTFormatError(
                    .badData, "\(place) has the key '\(name)', expected names of modules; expressions are not supported"
                )
            }
            guard number.isFinite, number > 0 else {
                throw PEFTFormatError(.badData, "\(place) of '\(name)' is \(number), expected a number above 0")
            }
        }
        self.numbers = numbers
        self.place = place
    }

    /// The number of a module, if the pattern has one.
    func value(for module: String) throws(PEFTFormatError) -> Double? {
        guard !numbers.isEmpty else { return nil }
        var found = Set<Double>()
        var ending: Substring? = module[...]
        while let name = ending {
            if let number = numbers[String(name)] { found.insert(number) }
            ending = name.firstIndex(of: ".").map { name[name.index(after: $0)...] }
        }
        guard found.count <= 1 else {
            throw PEFTFormatError(
                .badData, "\(place) gives '\(module)' the numbers \(found.sorted()), expected one; name it in full")
        }
        return found.first
    }
}
