import Diagnostics

/// An array of bytes in the IDX format of the MNIST files, gzipped or not: two zero bytes, the type 0x08, the number of
/// dimensions, each dimension as a big-endian number of four bytes, then the elements.
struct IDXFile {
    let path: String
    let dimensions: [Int]
    let elements: [UInt8]

    /// Whether a file starts as one in this format does.
    static func recognizes(_ file: DataFile) throws(ImagesError) -> Bool {
        let start = try file.prefix(4)
        return start.count == 4 && start[0] == 0 && start[1] == 0 && (0x08...0x0E).contains(start[2])
    }

    /// - Parameter dimensionCounts: the numbers of dimensions that the reader understands.
    /// - Throws: ``ImagesError`` if the file is not what its header says.
    init(_ file: DataFile, dimensionCounts: ClosedRange<Int>, holding what: String) throws(ImagesError) {
        path = file.path
        let start = try file.prefix(4)
        guard start.count == 4, start[0] == 0, start[1] == 0, start[2] == 0x08 else {
            throw ImagesError(
                .badData,
                "\(path): starts with the bytes \(start.map(String.init).joined(separator: " ")), expected 0 0 8 as an IDX file of "
                    + "unsigned bytes does")
        }
        let count = Int(start[3])
        guard dimensionCounts.contains(count) else {
            throw ImagesError(
                .badData,
                "\(path): \(count) dimensions, expected \(dimensionCounts.lowerBound)"
                    + (dimensionCounts.count > 1 ? " to \(dimensionCounts.upperBound)" : "") + " for \(what)")
        }
        let headerLength = 4 + 4 * count
        let header = try file.prefix(headerLength)
        guard header.count == headerLength else {
            throw ImagesError(
                .badData, "\(path): cut off after \(header.count) bytes, expected \(headerLength) of header")
        }
        dimensions = (0..<count).map { index in
            header[(4 + 4 * index)..<(8 + 4 * index)].reduce(0) { $0 << 8 | Int($1) }
        }
        var size = 1
        for dimension in dimensions {
            // Four dimensions below 2³² would not fit in 64 bits.
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            guard !overflow, product <= ImageSet.mostBytes else {
                throw ImagesError(
                    .badData,
                    "\(path): claims \(dimensions.map(String.init).joined(separator: " × ")) elements, expected at most "
                        + "\(ImageSet.mostBytes)")
            }
            size = product
        }
        let bytes = try file.contents(limit: headerLength + size)
        guard bytes.count == headerLength + size else {
            throw ImagesError(
                .badData,
                "\(path): \(bytes.count - headerLength) elements, expected \(dimensions.map(String.init).joined(separator: " × "))"
                    + " = \(size); the file is cut off, fetch it again")
        }
        elements = Array(bytes[headerLength...])
    }
}
