/// An adapter that cannot be read or written.
public struct PEFTFormatError: Error, CustomStringConvertible, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The folder or a file of it does not exist.
        case missingInput
        /// A file is not what it should be.
        case badData
        /// What was asked for cannot be done with this adapter.
        case usage
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
