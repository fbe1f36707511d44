/// The lines of a file as ranges of its bytes, without their ends (LF or CR LF), and without the blank ones at the file's end.
struct TextLines: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    /// The number of the line that was given last, counted from 1.
    private(set) var number = 0

    init(_ file: FileContents) {
        bytes = file.bytes
        position = file.start
        var end = bytes.count
        while end > position, Self.isLineEnd(bytes[end - 1]) { end -= 1 }
        self.end = end
    }

    static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    mutating func next() -> Range<Int>? {
        guard position < end else { return nil }
        number += 1
        let start = position
        let lineEnd = bytes[start..<end].firstIndex(of: UInt8(ascii: "\n")) ?? end
        position = lineEnd + 1
        // A carriage return before the last line's end is cut with the blank lines.
        return start..<(lineEnd > start && bytes[lineEnd - 1] == UInt8(ascii: "\r") ? lineEnd - 1 : lineEnd)
    }
}
