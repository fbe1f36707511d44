/// Why a configuration cannot be used.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is; each stands for one exit code of `sysexits`.
    public enum Kind: Sendable {
        /// The configuration file cannot be read (66).
        case missingInput
        /// What the user wrote, in the file or on the command line, is not a usable configuration (64).
        case usage
        /// A configuration that a run stored is damaged, or written by another version (65).
        case badData
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// One line: where (path and line, or the command-line option), which key, what was expected, what was found, and
    /// what to do.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
