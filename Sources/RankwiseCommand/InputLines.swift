import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The lines of standard input, as they come.
enum InputLines {
    /// Gives the lines in groups: those that are there, at most `size` at a time. So whoever writes a line and waits for its
    /// answer gets it, and a file's lines go through together.
    static func forEachGroup(of size: Int, _ body: ([(number: Int, line: String)]) throws -> Void) throws {
        var reader = LineReader()
        var number = 0
        while let lines = try reader.nextLines() {
            for start in stride(from: 0, to: lines.count, by: size) {
                let group = lines[start..<min(start + size, lines.count)].map { line in
                    number += 1
                    return (number, line)
                }
                try body(group)
            }
        }
    }
}

/// Reads what standard input holds, without waiting for more than a line.
private struct LineReader {
    private var unfinished: [UInt8] = []
    private var isFirst = true
    private var isAtEnd = false

    /// The lines that one read brings to their ends, without those; nil at the end.
    mutating func nextLines() throws(InputError) -> [String]? {
        guard !isAtEnd else { return nil }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(STDIN_FILENO, &chunk, chunk.count)
        guard count >= 0 || errno == EINTR else {
            throw InputError("standard input cannot be read (\(String(cString: strerror(errno))))")
        }
        isAtEnd = count == 0
        unfinished += chunk[..<max(count, 0)]
        var end = unfinished.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        if isAtEnd { end = unfinished.count }
        let whole = unfinished[..<end]
        unfinished.removeFirst(end)
        guard !whole.isEmpty else { return [] }
        var lines = whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What follows the last line's end is no line.
        if whole.last == UInt8(ascii: "\n") { lines.removeLast() }
        return lines.map { line in
            defer { isFirst = false }
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            let text = isFirst && line.starts(with: mark) ? line.dropFirst(mark.count) : line
            return String(decoding: text.last == UInt8(ascii: "\r") ? text.dropLast() : text, as: UTF8.self)
        }
    }
}

/// A line of standard input that cannot be used.
struct InputError: Diagnosis {
    let kind: FailureKind
    let description: String

    init(_ description: String, kind: FailureKind = .badData) {
        self.kind = kind
        self.description = description
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
