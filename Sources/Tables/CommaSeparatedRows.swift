/// The rows of a file of cells separated by commas, as RFC 4180 has them: a cell stands in double quotes where it holds a
/// comma, a quote (doubled) or a line break. A byte order mark and blank lines at the end are passed over.
public struct CommaSeparatedRows {
    /// Where a cell's content lies, without the quotes around it.
    public struct Cell {
        public let range: Range<Int>
        /// Whether the content has quotes, each of them doubled.
        let hasDoubledQuotes: Bool
        let isQuoted: Bool
    }

    /// Why a row cannot be read.
    public struct Problem: Error {
        /// Counted from 1.
        public let line: Int
        public let message: String
    }

    private let bytes: [UInt8]
    private let trimsSpaces: Bool
    private var position: Int
    private let end: Int
    /// The number of the line at the position.
    private var currentLine = 1
    /// The cells of the row that was read last.
    public private(set) var cells: [Cell] = []
    /// The line that this row starts at, counted from 1.
    public private(set) var line = 0

    /// - Parameters:
    ///   - bytes: of the file.
    ///   - trimsSpaces: whether spaces and tabs around a cell are no part of it.
    public init(_ bytes: [UInt8], trimsSpaces: Bool = false) {
        self.bytes = bytes
        self.trimsSpaces = trimsSpaces
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var end = bytes.count
        while end > position, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        self.end = end
    }

    /// Reads the next row; false at the end.
    ///
    /// - Throws: ``Problem`` for a quote that is not closed, or is followed by more of a cell.
    public mutating func next() throws(Problem) -> Bool {
        guard position < end else { return false }
        line = currentLine
        cells.removeAll(keepingCapacity: true)
        repeat {
            if trimsSpaces { skipSpaces() }
            cells.append(try isAt("\"") ? quotedCell() : plainCell())
        } while take(",")
        if take("\r"), !isAt("\n"), position < end {
            throw Problem(
                line: currentLine, message: "a carriage return between rows, expected line feeds or both")
        }
        if take("\n") { currentLine += 1 }
        return true
    }

    /// Whether the row is a line with nothing but white space.
    public var isBlank: Bool {
        cells.count == 1 && !cells[0].isQuoted && bytes[cells[0].range].allSatisfy(Self.isSpace)
    }

    /// The content of a cell of the row; bytes that are not UTF-8 are replaced.
    public func text(_ cell: Cell) -> String {
        guard cell.hasDoubledQuotes else { return String(decoding: bytes[cell.range], as: UTF8.self) }
        var content: [UInt8] = []
        var isSecond = false
        for byte in bytes[cell.range] {
            isSecond = byte == UInt8(ascii: "\"") && !isSecond
            if byte != UInt8(ascii: "\"") || isSecond { content.append(byte) }
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        position < end && bytes[position] == UInt8(ascii: character)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpaces() {
        while isAt(" ") || isAt("\t") { position += 1 }
    }

    /// A cell without quotes around it; a quote inside is itself.
    private mutating func plainCell() -> Cell {
        let start = position
        while position < end, !isAt(","), !isAt("\n") { position += 1 }
        // The carriage return of a line's end is no part of the cell; any other is.
        if isAt("\n"), position > start, bytes[position - 1] == UInt8(ascii: "\r") { position -= 1 }
        var last = position
        while trimsSpaces, last > start, Self.isSpace(bytes[last - 1]) { last -= 1 }
        return Cell(range: start..<last, hasDoubledQuotes: false, isQuoted: false)
    }

    private mutating func quotedCell() throws(Problem) -> Cell {
        let firstLine = currentLine
        position += 1
        let start = position
        var hasDoubledQuotes = false
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                if isAt("\"") {
                    hasDoubledQuotes = true
                    break
                }
                let content = start..<position - 1
                if trimsSpaces { skipSpaces() }
                guard position == end || isAt(",") || isAt("\n") || isAt("\r") else {
                    throw Problem(
                        line: currentLine,
                        message: "a character after a cell's closing quote, expected a comma or the line's end; "
                            + "quotes inside quotes are doubled")
                }
                return Cell(range: content, hasDoubledQuotes: hasDoubledQuotes, isQuoted: true)
            case UInt8(ascii: "\n"):
                currentLine += 1
            default: break
            }
            position += 1
        }
        throw Problem(line: firstLine, message: "a quote that is opened here is not closed")
    }
}
