public import Diagnostics

/// A run that cannot start or go on.
public struct TrainingError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
