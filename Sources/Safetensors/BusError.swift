import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What happens when a page of a mapped file can no longer be read, because the file was truncated or its disk failed: the
/// system sends SIGBUS, and nothing can be computed any more. The process ends with one line that names the file.
enum BusError {
    private struct Range {
        var start: UInt
        var end: UInt
        let path: UnsafeMutablePointer<CChar>?
    }

    /// As many files as are named; those mapped beyond them are spoken of without their names.
    private static let capacity = 1_024
    nonisolated(unsafe) private static let ranges: UnsafeMutablePointer<Range> = {
        let ranges = UnsafeMutablePointer<Range>.allocate(capacity: capacity)
        ranges.initialize(repeating: Range(start: 0, end: 0, path: nil), count: capacity)
        return ranges
    }()
    private static let count = Atomic<Int>(0)

    /// Once a process: what a signal handler uses must be there before.
    private static let handler: Void = {
        _ = ranges
        var action = sigaction()
        action.sa_flags = SA_SIGINFO
        action.__sigaction_handler.sa_sigaction = { _, information, _ in
            BusError.end(at: UInt(bitPattern: information?.pointee._sifields._sigfault.si_addr))
        }
        sigaction(SIGBUS, &action, nil)
    }()

    /// From now on the file is named if a page of it cannot be read.
    static func watch(_ bytes: UnsafeRawBufferPointer, path: String) {
        _ = handler
        let place = count.add(1, ordering: .relaxed).oldValue
        guard place < capacity, let start = bytes.baseAddress else { return }
        ranges[place] = Range(
            start: UInt(bitPattern: start), end: UInt(bitPattern: start) + UInt(bytes.count), path: strdup(path))
    }

    /// Only calls that are allowed in a signal handler.
    private static func end(at address: UInt) -> Never {
        var path: UnsafePointer<CChar>?
        for place in 0..<min(count.load(ordering: .relaxed), capacity)
        where ranges[place].start <= address && address < ranges[place].end {
            path = UnsafePointer(ranges[place].path)
        }
        write("rankwise: ")
        if let path {
            _ = Glibc.write(STDERR_FILENO, path, strlen(path))
        } else {
            write("memory that processes share, or a mapped file")
        }
        write(
            ": can no longer be read (it was truncated, or its disk failed or is full); restore it, then start again\n")
        _exit(74)
    }

    private static func write(_ text: StaticString) {
        _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
