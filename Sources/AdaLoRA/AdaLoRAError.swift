public import Diagnostics

/// A budget schedule that cannot be carried out.
public struct AdaLoRAError: Diagnosis {
    public var kind: FailureKind { .usage }
    /// One line: what is wrong, with the numbers, and what to set.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
