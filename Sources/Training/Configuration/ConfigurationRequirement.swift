import Yams

/// The limits of a key's value, in words and as a test. The words follow the name of the type: "an integer" + " from 1
/// to 10".
struct ConfigurationRequirement<Value>: Sendable {
    let words: String
    /// Whether the value is a path, in which a leading `~` is the user's home folder.
    var isPath = false
    let holds: @Sendable (Value) -> Bool

    static var none: Self { Self(words: "") { _ in true } }

    /// The value as it is kept.
    func read(_ node: Node) throws(ConfigurationMismatch) -> Value where Value: ConfigurationValue {
        let value = try Value(node: node)
        guard holds(value) else {
            throw ConfigurationMismatch(expected: Value.described(limits: words), found: node.quoted)
        }
        return value
    }

    /// A path as a user writes it, with the home folder for a leading `~`; any other value as it is.
    func expanded(_ value: Value) throws(ConfigurationMismatch) -> Value where Value: ConfigurationValue {
        guard isPath else { return value }
        guard let path = value.expandedPath else {
            throw ConfigurationMismatch(
                expected: "a path whose ~ is your own home folder (HOME); write others out",
                found: value.yamlText.shortened)
        }
        return path
    }

    /// The limits of a value that may be null.
    static func orNull<Wrapped>(_ requirement: ConfigurationRequirement<Wrapped>) -> Self where Value == Wrapped? {
        Self(words: requirement.words, isPath: requirement.isPath) { value in value.map(requirement.holds) ?? true }
    }
}

extension ConfigurationRequirement where Value == Int {
    static func range(_ range: ClosedRange<Int>) -> Self {
        Self(words: " from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
    }

    static var fourOrEight: Self { Self(words: ", 4 or 8") { $0 == 4 || $0 == 8 } }

    static var evenGroup: Self {
        Self(words: " from 8 to 65536, even") { (8...65_536).contains($0) && $0 % 2 == 0 }
    }

    /// Steps of a run. The limit leaves room for sums of steps without overflow.
    static func steps(atLeast minimum: Int) -> Self { range(minimum...1_000_000_000) }
}

extension ConfigurationRequirement where Value == Double {
    static var positive: Self { Self(words: " greater than 0") { $0 > 0 && $0.isFinite } }
    static var finite: Self { Self(words: "") { $0.isFinite } }
    static var notNegative: Self { Self(words: " of 0 or more") { $0 >= 0 && $0.isFinite } }
    static var betweenZeroAndOne: Self { Self(words: " greater than 0 and less than 1") { $0 > 0 && $0 < 1 } }
    static var zeroToBelowOne: Self { Self(words: " of 0 or more and less than 1") { $0 >= 0 && $0 < 1 } }
}

extension ConfigurationRequirement where Value == String {
    /// A column's name.
    static var name: Self { Self(words: " on one line, not empty", holds: isName) }
    static var path: Self { Self(words: " on one line, not empty", isPath: true, holds: isName) }
}

extension ConfigurationRequirement where Value == [String] {
    static var namesOrNone: Self { Self(words: ", none empty") { $0.allSatisfy(isName) } }

    static var names: Self {
        Self(words: ", at least one, none empty") {
            !$0.isEmpty && $0.allSatisfy(isName)
        }
    }
}

/// A byte order mark in front is refused with the control characters: Yams drops it, so the name would not come back.
@Sendable private func isName(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.first != "\u{FEFF}"
        && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
}
