/// What kind of failure an error is; the raw values are the exit codes of BSD's sysexits.
public enum FailureKind: Int32, Sendable {
    /// The command line or the configuration asks for something that cannot be done (`EX_USAGE`).
    case usage = 64
    /// A file holds something that this program cannot use (`EX_DATAERR`).
    case badData = 65
    /// A file or folder that is needed is not there (`EX_NOINPUT`).
    case missingInput = 66
    /// The computation went wrong (`EX_SOFTWARE`).
    case computation = 70
    /// A file could not be read or written (`EX_IOERR`).
    case inputOutput = 74

    /// The exit code of a process that ends with such a failure.
    public var exitCode: Int32 { rawValue }
}

/// An error that a user can do something about: a kind, and one line that says what, where, found, expected, and what to
/// do. Each module has its own type.
public protocol Diagnosis: Error, CustomStringConvertible, Sendable, Equatable {
    var kind: FailureKind { get }
    /// One line.
    var description: String { get }
}
