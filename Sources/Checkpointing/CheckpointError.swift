/// A checkpoint that cannot be written, or must not be used.
public struct CheckpointError: Error, CustomStringConvertible, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// There is none.
        case missingInput
        /// A file differs from what its manifest says, or is not what it should be.
        case badData
        /// A file could not be read or written.
        case inputOutput
    }

    public let kind: Kind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
