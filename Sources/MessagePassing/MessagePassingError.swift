internal import COpenMPI

/// What went wrong between the processes.
public struct MessagePassingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The ways in which message passing can go wrong.
    public enum Kind: Sendable {
        /// An MPI routine returned an error code.
        case routineFailed
        /// A count or a displacement does not fit MPI's 32-bit integers and the operation has no way around that.
        case countTooLarge
        /// The processes came to a collective operation with different numbers of elements.
        case unequalCounts
        /// A layout or buffer does not fit the communicator.
        case invalidArgument
        /// The MPI library does not support calls from a process that has several threads.
        case threadLevel
        /// MPI was started before in this process; it can be started once only.
        case alreadyStarted
    }

    /// What went wrong, for code that decides by it.
    public let kind: Kind

    /// The MPI routine that failed or would have been called, for example `MPI_Allreduce`.
    public let routine: String

    /// What went wrong, on one line: the routine, what was found, what was expected, what to do.
    public let description: String

    init(_ kind: Kind, routine: String, _ explanation: String) {
        self.kind = kind
        self.routine = routine
        self.description = "\(routine): \(explanation)"
    }
}

/// Throws unless `code` is `MPI_SUCCESS`. Every call of an MPI routine in this module goes through here.
func check(_ routine: StaticString, _ code: Int32) throws(MessagePassingError) {
    guard code != MPI_SUCCESS else { return }
    throw MessagePassingError(.routineFailed, routine: "\(routine)", "\(errorText(of: code)) (error code \(code))")
}

/// MPI's own words for an error code. The corresponding C function is `MPI_Error_string`.
private func errorText(of code: Int32) -> String {
    var length: Int32 = 0
    let text = [CChar](unsafeUninitializedCapacity: Int(MPI_MAX_ERROR_STRING) + 1) { buffer, initializedCount in
        buffer.initialize(repeating: 0)
        if let start = buffer.baseAddress, MPI_Error_string(code, start, &length) == MPI_SUCCESS {
            initializedCount = min(max(Int(length), 0), buffer.count)
        }
    }
    let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return bytes.isEmpty ? "unknown error" : String(decoding: bytes, as: UTF8.self)
}
