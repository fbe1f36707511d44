import Diagnostics
import JSONText

/// `rank_pattern` or `alpha_pattern` of a LoRA adapter: numbers for the modules that expressions match.
///
/// As PEFT has it, a key matches a module if it matches the whole of its path or what follows one of its dots, and the first
/// key that does, in the order of the file, gives the number.
struct ModulePattern {
    private let numbers: [(expression: ModuleExpression, number: Double)]
    /// File and key, for messages.
    private let place: String

    /// - Throws: ``PEFTFormatError`` for what is no number above 0, and expressions that this program does not read.
    init(_ members: [JSONValue.Member], place: String) throws(PEFTFormatError) {
        var numbers: [(expression: ModuleExpression, number: Double)] = []
        var places: [String: Int] = [:]
        for member in members {
            guard let number = member.value.doubleValue, number.isFinite, number > 0 else {
                throw PEFTFormatError(
                    .badData, "\(place) of '\(member.key)' is \(member.value.shown), expected a number above 0")
            }
            // Python keeps the place of the first, with the value of the last.
            if let earlier = places[member.key] {
                numbers[earlier].number = number
                continue
            }
            places[member.key] = numbers.count
            do {
                numbers.append((try ModuleExpression(member.key), number))
            } catch {
                throw PEFTFormatError(.badData, "\(place) has the key '\(member.key)': \(error.description)")
            }
        }
        self.numbers = numbers
        self.place = place
    }

    /// What matching may cost over all modules of an adapter. Patterns of a thousand layers by their names stay far below;
    /// what is written to keep a reader busy does not.
    private static let largestEffort = 1 << 23

    /// The number of each module; nil where the pattern has none.
    ///
    /// - Throws: ``PEFTFormatError`` where that takes too long.
    func values(for modules: [String]) throws(PEFTFormatError) -> [Double?] {
        var effort = Self.largestEffort
        var values: [Double?] = []
        for module in modules {
            let path = Array(module.unicodeScalars)
            values.append(numbers.first { $0.expression.matches(path, effort: &effort) }?.number)
            guard effort > 0 else {
                throw PEFTFormatError(
                    .badData, "\(place) takes too long to match with the adapter's modules; name them in full")
            }
        }
        return values
    }
}
