import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The lines of standard input, as they come.
enum InputLines {
    static let name = "standard input"

    /// Gives the lines in groups: those that are there, and at most `size`, so that none waits for another that may never
    /// come. A byte order mark before the first is no part of it.
    ///
    /// - Throws: ``InputError`` if standard input cannot be read, or a line is not UTF-8: after the lines before it are given.
    static func forEachGroup(of size: Int, _ body: ([(number: Int, line: String)]) throws -> Void) throws {
        var pending: [UInt8] = []
        var group: [(Int, String)] = []
        var number = 0
        func take(_ bytes: ArraySlice<UInt8>) throws {
            number += 1
            var bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
            guard let line = String(validating: bytes, as: UTF8.self) else {
                try giveGroup()
                throw InputError("\(name):\(number): the bytes are not UTF-8; send texts in UTF-8")
            }
            group.append((number, line))
            if group.count == size { try giveGroup() }
        }
        func giveGroup() throws {
            defer { group = [] }
            if !group.isEmpty { try body(group) }
        }
        while let bytes = try readSome() {
            // What is pending has no line's end.
            let firstNew = pending.count
            pending += bytes
            var (start, search) = (0, firstNew)
            while let end = pending[search...].firstIndex(of: UInt8(ascii: "\n")) {
                try take(pending[start..<end])
                start = end + 1
                search = start
            }
            pending.removeFirst(start)
            try giveGroup()
        }
        if !pending.isEmpty { try take(pending[...]) }
        try giveGroup()
    }

    /// The bytes that are there, after waiting for the first; nil at the end.
    private static func readSome() throws(InputError) -> [UInt8]? {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                let result = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                failure = result < 0 ? errno : 0
                count = max(result, 0)
            }
            switch failure {
            case 0: return bytes.isEmpty ? nil : bytes
            case EINTR: continue
            case EAGAIN:
                var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, -1)
            // No standard input is none to read.
            case EBADF: return nil
            default:
                throw InputError(
                    "\(name): cannot be read (\(String(cString: strerror(failure)))); check where it comes from",
                    .inputOutput)
            }
        }
    }
}

/// Standard input, or a line of it, that cannot be used.
struct InputError: Diagnosis {
    let kind: FailureKind
    let description: String

    init(_ description: String, _ kind: FailureKind = .badData) {
        self.kind = kind
        self.description = oneLine(description)
    }
}

/// Writes a line to standard output at once.
func printLine(_ line: String) throws {
    try writeToStandardOutput(Data((line + "\n").utf8))
}

/// JSON on one line.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
