public import Diagnostics

/// A tokenizer or a data file that cannot be used, or a length that cannot be met.
public struct TextError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}

extension TextError {
    /// Data that cannot be used, at a line of a file (counted from 1).
    static func badData(_ path: String, line: Int, _ message: String) -> TextError {
        TextError(.badData, "\(path):\(line): \(message)")
    }

    /// A value from a file as it is shown in a message.
    static func quoted(_ value: String) -> String { Diagnostics.quoted(value) }

    /// Names as a list for a message; a long list is cut.
    static func listed(_ names: [String]) -> String {
        let limit = 12
        let shown = names.prefix(limit).map(quoted).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }
}
