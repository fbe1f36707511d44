/// A model folder that cannot be used.
public struct ModelError: Error, CustomStringConvertible, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The folder or a file of it does not exist.
        case missingInput
        /// A file says something that this program cannot use.
        case badData
        /// The configuration asks for something that the model does not have.
        case usage
    }

    public let kind: Kind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
