/// A run that cannot start or go on.
public struct TrainingError: Error, CustomStringConvertible, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// What the user asked for cannot be done.
        case usage
        /// A file holds something unusable.
        case badData
        /// Something that is needed is not there.
        case missingInput
        /// Something could not be read or written.
        case inputOutput
        /// The computation went wrong.
        case computation
    }

    public let kind: Kind
    /// One line: what, where, found, expected, what to do.
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
