public import Diagnostics

/// A checkpoint that cannot be written, or must not be used.
public struct CheckpointError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
