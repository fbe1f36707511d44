/// A budget schedule or an allocation that cannot be carried out.
public struct AdaLoRAError: Error, CustomStringConvertible, Sendable, Equatable {
    /// One line: what is wrong, with the numbers, and what to set.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
