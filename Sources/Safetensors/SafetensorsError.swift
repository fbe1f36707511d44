/// A safetensors file that cannot be read, used or written.
public struct SafetensorsError: Error, CustomStringConvertible, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The file or folder does not exist.
        case missingInput
        /// The file is not what it should be.
        case badData
        /// The file could not be read or written.
        case inputOutput
    }

    public let kind: Kind
    /// One line: path, tensor, found, expected, what to do.
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
