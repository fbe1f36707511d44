public import Diagnostics

/// A tokenizer that cannot be used, or a text that it cannot encode.
public struct TokenizationError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}

extension TokenizationError {
    /// A value from a file as it is shown in a message: quoted, on one line, not longer than a person reads.
    static func quoted(_ value: some Sequence<UInt8>) -> String {
        let limit = 120
        let bytes = Array(value.prefix(limit + 1))
        var shown = ""
        for scalar in String(decoding: bytes.prefix(limit), as: UTF8.self).unicodeScalars {
            shown += scalar.escaped(asASCII: false)
        }
        return "\"\(shown)\"" + (bytes.count > limit ? "…" : "")
    }

    static func quoted(_ value: String) -> String { quoted(value.utf8) }
}
