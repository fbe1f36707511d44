import Diagnostics

/// A matrix in NumPy's `.npy` format, versions 1 to 3 (`numpy.lib.format`): `<f8`, `<f4`, `<f2`, `<i8`, `<i4` in the order
/// of C or of Fortran.
public final class NumPyFile: Sendable {
    public let path: String
    public let rows: Int
    public let columns: Int
    /// Whether the numbers are single precision or less.
    public let isSinglePrecision: Bool
    private let file: MappedFile
    private let type: Element
    private let isFortranOrder: Bool
    private let dataStart: Int

    /// A header may be this long, in bytes.
    public static let longestHeader = 1 << 16

    /// - Throws: ``SafetensorsError`` unless the file is whole and holds a matrix.
    public init(path: String) throws(SafetensorsError) {
        func bad(_ message: String) -> SafetensorsError { SafetensorsError(.badData, "\(path): \(message)") }
        let file = try MappedFile(path: path)
        let bytes = file.bytes
        guard bytes.count >= 10, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw bad("not a .npy file, which begins with \\x93NUMPY; save it with numpy.save")
        }
        let major = bytes[6]
        guard (1...3).contains(major) else { throw bad("version \(major) of .npy, expected 1, 2 or 3") }
        let prefix = major == 1 ? 10 : 12
        guard bytes.count >= prefix else { throw bad("\(bytes.count) bytes; the file is truncated") }
        let length =
            major == 1
            ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
            : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard length <= Self.longestHeader, prefix + length <= bytes.count else {
            throw bad("a header of \(length) bytes in a file of \(bytes.count); the file is truncated or damaged")
        }
        let header: Header
        do throws(Header.Failure) {
            header = try Header(UnsafeRawBufferPointer(rebasing: bytes[prefix..<prefix + length]))
        } catch {
            throw bad("header: \(error.reason)")
        }
        guard header.shape.count == 2 else {
            throw bad("shape \(header.shape), expected a matrix, of two dimensions")
        }
        let (count, countOverflow) = header.shape[0].multipliedReportingOverflow(by: header.shape[1])
        let (size, overflow) = count.multipliedReportingOverflow(by: header.element.size)
        guard !countOverflow, !overflow, size == bytes.count - prefix - length else {
            throw bad(
                "\(bytes.count - prefix - length) bytes of data, shape \(header.shape) needs "
                    + (countOverflow || overflow ? "more than can be counted" : "\(size)")
                    + "; the file is truncated or damaged")
        }
        self.path = path
        self.file = file
        type = header.element
        isFortranOrder = header.isFortranOrder
        rows = header.shape[0]
        columns = header.shape[1]
        dataStart = prefix + length
        isSinglePrecision = header.element == .float32 || header.element == .float16
    }

    /// All elements, row after row, [rows, columns].
    public func doubles() -> [Double] {
        var result = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                let place = isFortranOrder ? column * rows + row : row * columns + column
                result[row * columns + column] = element(place)
            }
        }
        return result
    }

    private func element(_ place: Int) -> Double {
        let offset = dataStart + place * type.size
        let bytes = file.bytes
        return switch type {
        case .float64: Double(bitPattern: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        case .float32: Double(Float(bitPattern: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        case .float16: Double(FloatBits.fromHalf(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        case .int64: Double(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
        case .int32: Double(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
    }

    private enum Element: String, CaseIterable {
        case float64 = "<f8"
        case float32 = "<f4"
        case float16 = "<f2"
        case int64 = "<i8"
        case int32 = "<i4"

        var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16: 2
            }
        }
    }

    /// The dictionary of the header, as `numpy.save` writes it: `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`.
    private struct Header {
        struct Failure: Error { let reason: String }

        var element = Element.float64
        var isFortranOrder = false
        var shape: [Int] = []
        private let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
            self.bytes = bytes
            var seen: Set<String> = []
            try expect("{")
            while !take("}") {
                let key = try text()
                guard seen.insert(key).inserted else { throw Failure(reason: "'\(key)' stands twice") }
                try expect(":")
                switch key {
                case "descr":
                    let name = try text()
                    guard let element = Element(rawValue: name) else {
                        throw Failure(
                            reason: "elements of type '\(name)', expected "
                                + Element.allCases.map(\.rawValue).joined(separator: ", "))
                    }
                    self.element = element
                case "fortran_order":
                    isFortranOrder = take("True")
                    if !isFortranOrder { try expect("False") }
                case "shape": shape = try counts()
                default: throw Failure(reason: "unexpected key '\(key)'")
                }
                if !take(",") {
                    try expect("}")
                    break
                }
            }
            skipSpace()
            guard position == bytes.count else { throw Failure(reason: "more text after the dictionary") }
            guard seen.count == 3 else { throw Failure(reason: "expected descr, fortran_order and shape") }
        }

        private mutating func counts() throws(Failure) -> [Int] {
            var counts: [Int] = []
            try expect("(")
            while !take(")") {
                var value = 0
                let start = position
                while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                    let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
                    let (sum, stillTooLarge) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
                    guard !tooLarge, !stillTooLarge else {
                        throw Failure(reason: "a dimension too large to count with")
                    }
                    value = sum
                    position += 1
                }
                guard position > start else { throw Failure(reason: "expected a whole number in shape") }
                counts.append(value)
                if !take(",") {
                    try expect(")")
                    break
                }
                skipSpace()
            }
            return counts
        }

        private mutating func text() throws(Failure) -> String {
            skipSpace()
            guard position < bytes.count, [0x22, 0x27].contains(bytes[position]) else {
                throw Failure(reason: "expected a text in quotes at byte \(position)")
            }
            let quote = bytes[position]
            guard let end = bytes[(position + 1)...].firstIndex(of: quote) else {
                throw Failure(reason: "a text that does not end")
            }
            defer { position = end + 1 }
            return String(decoding: bytes[(position + 1)..<end].prefix(64), as: UTF8.self)
        }

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        private mutating func take(_ word: String) -> Bool {
            skipSpace()
            guard bytes[position...].starts(with: word.utf8) else { return false }
            position += word.utf8.count
            return true
        }

        private mutating func expect(_ word: String) throws(Failure) {
            guard take(word) else { throw Failure(reason: "expected '\(word)' at byte \(position)") }
        }
    }
}
