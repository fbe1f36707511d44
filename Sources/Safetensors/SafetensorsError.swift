public import Diagnostics

/// A safetensors file that cannot be read, used or written.
public struct SafetensorsError: Diagnosis {
    public let kind: FailureKind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: FailureKind, _ description: String) {
        self.kind = kind
        self.description = oneLine(description)
    }
}
