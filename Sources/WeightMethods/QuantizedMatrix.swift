public import LinearAlgebra

/// A matrix as codes, packed, and the ranges of their groups.
public struct QuantizedMatrix: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    /// From 1 to 16.
    public let bits: Int
    /// Neighbours in a row that share a range; nil where the whole matrix shares one.
    public let group: Int?
    /// [rows, bytesPerRow]. Code c of a row takes the bits from c·bits on, counted from the lowest of the row's first byte; the
    /// rest of the row's last byte is 0.
    public private(set) var codes: [UInt8]
    /// Lowest and highest value of each group: [rows, groupsPerRow, 2], or [2] where there is one group.
    public private(set) var ranges: [Float]

    /// Bytes of the codes of one row.
    public var bytesPerRow: Int { Self.bytesPerRow(columns: columns, bits: bits) }
    /// Groups of one row.
    public var groupsPerRow: Int { Self.groupsPerRow(columns: columns, group: group) }

    public static func bytesPerRow(columns: Int, bits: Int) -> Int { (columns * bits + 7) / 8 }
    public static func groupsPerRow(columns: Int, group: Int?) -> Int {
        group.map { $0 >= columns ? min(columns, 1) : (columns + $0 - 1) / $0 } ?? 1
    }

    /// Quantises a matrix, or some of its rows: see ``QuantizationRange``.
    ///
    /// - Parameters:
    ///   - group: see ``group``.
    ///   - shared: the range of the whole matrix where `matrix` is some of its rows and there are no groups; nil takes that of
    ///     the elements at hand.
    /// - Throws: ``WeightMethodError`` for elements that are not finite, bits outside 1…16 and groups of none.
    public init(
        _ matrix: MatrixView, bits: Int, group: Int? = nil, shared: (low: Float, high: Float)? = nil
    ) throws(WeightMethodError) {
        try QuantizationRange.requireBits(bits)
        guard group ?? 1 > 0 else { throw .badSetting("a group has \(group ?? 0) weights, expected at least 1") }
        try matrix.requireFinite()
        rows = matrix.rows
        columns = matrix.columns
        self.bits = bits
        self.group = group
        codes = [UInt8](repeating: 0, count: rows * Self.bytesPerRow(columns: columns, bits: bits))
        ranges = []
        var whole = shared
        if group == nil {
            if whole == nil {
                for row in 0..<rows {
                    guard let own = WeightMethods.range(of: matrix.row(row)) else { continue }
                    whole = (min(whole?.low ?? own.low, own.low), max(whole?.high ?? own.high, own.high))
                }
            }
            ranges = [whole?.low ?? 0, whole?.high ?? 0]
        }
        let width = max(min(group ?? columns, columns), 1)
        for row in 0..<rows {
            let values = matrix.row(row)
            for start in stride(from: 0, to: columns, by: width) {
                let part = UnsafeBufferPointer(rebasing: values[start..<min(start + width, columns)])
                guard let (low, high) = group == nil ? whole : WeightMethods.range(of: part) else { continue }
                if group != nil { ranges += [low, high] }
                let range = QuantizationRange(low: low, high: high, bits: bits)
                for (index, value) in part.enumerated() { put(range.code(value), row: row, column: start + index) }
            }
        }
    }

    /// A matrix whose codes and ranges were kept.
    ///
    /// - Throws: ``WeightMethodError/badSetting(_:)`` unless bits, counts and ranges are possible.
    public init(
        rows: Int, columns: Int, bits: Int, group: Int?, codes: [UInt8], ranges: [Float]
    ) throws(WeightMethodError) {
        try QuantizationRange.requireBits(bits)
        guard group ?? 1 > 0 else { throw .badSetting("a group has \(group ?? 0) weights, expected at least 1") }
        let groups = group == nil ? 1 : rows * Self.groupsPerRow(columns: columns, group: group)
        guard codes.count == rows * Self.bytesPerRow(columns: columns, bits: bits), ranges.count == 2 * groups else {
            throw .badSetting(
                "\(codes.count) bytes of codes and \(ranges.count) ends of ranges do not fit \(rows) × \(columns) weights at "
                    + "\(bits) bits")
        }
        for place in stride(from: 0, to: ranges.count, by: 2) {
            guard ranges[place].isFinite, ranges[place + 1].isFinite, ranges[place] <= ranges[place + 1] else {
                throw .badSetting(
                    "group \(place / 2) goes from \(ranges[place]) to \(ranges[place + 1]), expected finite ends in order"
                )
            }
        }
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.group = group
        self.codes = codes
        self.ranges = ranges
    }

    /// The weights of one row, dequantised.
    ///
    /// - Precondition: `values` holds `columns`.
    public func fill(_ values: UnsafeMutableBufferPointer<Float>, fromRow row: Int) {
        precondition(values.count == columns && row >= 0 && row < rows)
        let width = max(min(group ?? columns, columns), 1)
        for (index, start) in stride(from: 0, to: columns, by: width).enumerated() {
            let place = group == nil ? 0 : 2 * (row * groupsPerRow + index)
            let range = QuantizationRange(low: ranges[place], high: ranges[place + 1], bits: bits)
            for column in start..<min(start + width, columns) {
                values[column] = range.value(code(row: row, column: column))
            }
        }
    }

    /// The code of one weight.
    public func code(row: Int, column: Int) -> UInt16 {
        let place = column * bits
        let byte = row * bytesPerRow + place / 8
        var word: UInt32 = 0
        for index in 0..<(place % 8 + bits + 7) / 8 { word |= UInt32(codes[byte + index]) << UInt32(8 * index) }
        return UInt16(truncatingIfNeeded: word >> UInt32(place % 8) & (1 << UInt32(bits) - 1))
    }

    private mutating func put(_ code: UInt16, row: Int, column: Int) {
        let place = column * bits
        let byte = row * bytesPerRow + place / 8
        let word = UInt32(code) << UInt32(place % 8)
        for index in 0..<(place % 8 + bits + 7) / 8 {
            codes[byte + index] |= UInt8(truncatingIfNeeded: word >> UInt32(8 * index))
        }
    }
}
