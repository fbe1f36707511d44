public import Diagnostics

/// Why a configuration cannot be used: the file cannot be read, what the user wrote is not usable, or what a run stored is
/// damaged.
public struct ConfigurationError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
