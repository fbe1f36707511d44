public import Diagnostics

/// A factorisation that cannot be made as it was asked for.
public struct FactorizationError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
