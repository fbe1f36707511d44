public import Diagnostics

/// A matrix, or a pair of checkpoints, that cannot be factored.
public struct FactoringError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
