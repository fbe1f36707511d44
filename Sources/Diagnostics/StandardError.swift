#if canImport(Glibc)
    import Glibc
#endif

/// A line for the user on standard error.
public func tellUser(_ message: String) { writeToStandardError("rankwise: \(message)\n") }

/// Writes text to standard error with as few calls as possible, so that lines of several processes do not mix.
///
/// What cannot be written, because a log's disk is full or its reader is gone, is dropped: a run does not end for it.
public func writeToStandardError(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
    }
}
