internal import CKernels
public import LinearAlgebra

/// A matrix that is not trained: numbers as they lie, or codes that are dequantised a panel of rows at a time.
public enum FrozenMatrix {
    case plain(MatrixView)
    case quantized(QuantizedRows)

    public var rows: Int {
        switch self {
        case .plain(let view): view.rows
        case .quantized(let codes): codes.rows
        }
    }

    public var columns: Int {
        switch self {
        case .plain(let view): view.columns
        case .quantized(let codes): codes.columns
        }
    }
}

/// A matrix of codes of 8 or 4 bits that someone else owns, with a range for every group of neighbours in a row.
public struct QuantizedRows {
    /// [rows, ⌈columns·bits/8⌉ bytes], of 4 bits the lower half of a byte first.
    public let codes: UnsafePointer<UInt8>
    /// The lowest and the highest value of each group: [rows, ⌈columns/group⌉, 2].
    public let ranges: UnsafePointer<Float>
    public let rows: Int
    public let columns: Int
    /// 8 or 4.
    public let bits: Int
    /// Weights that share a range, an even number; a row's last group may have fewer.
    public let group: Int

    /// Scratch of a panel's rows; matrices that take part in no product at the same time may share one.
    private let panel: Matrix

    /// Rows that a product dequantises at a time.
    public static let panelRows = 128

    public init(
        codes: UnsafePointer<UInt8>, ranges: UnsafePointer<Float>, rows: Int, columns: Int, bits: Int, group: Int,
        panel: Matrix
    ) {
        precondition((bits == 8 || bits == 4) && group > 0 && group % 2 == 0)
        self.codes = codes
        self.ranges = ranges
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.group = group
        self.panel = panel
    }

    /// Values of some rows: code·(high − low)/(2^bits − 1) + low.
    ///
    /// - Parameter values: [rows of the range, columns].
    public func dequantize(_ range: Range<Int>, into values: UnsafeMutablePointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        kernel_dequantize(
            codes + range.lowerBound * ((columns * bits + 7) / 8),
            ranges + range.lowerBound * ((columns + group - 1) / group) * 2, bits, group, values, range.count, columns)
    }

    /// Does something with every panel of rows in the clear, in their order.
    fileprivate func forEachPanel(_ body: (_ range: Range<Int>, _ values: MatrixView) -> Void) {
        panel.resize(rows: min(Self.panelRows, rows), columns: columns)
        for start in stride(from: 0, to: rows, by: Self.panelRows) {
            let range = start..<min(start + Self.panelRows, rows)
            WorkLog.measure(.products) { dequantize(range, into: panel.pointer) }
            body(range, panel.view[rows: 0..<range.count])
        }
    }
}

extension RowProducts {
    /// The product with a frozen matrix, whatever it is held in: see
    /// ``multiply(_:_:_:keep:into:threads:)``.
    static func multiply(
        _ input: MatrixView, _ weight: FrozenMatrix, _ transposition: Transposition, keep: Float = 0,
        into result: MutableMatrixView
    ) {
        switch weight {
        case .plain(let weight): multiply(input, weight, transposition, keep: keep, into: result)
        case .quantized(let codes):
            codes.forEachPanel { range, panel in
                // A panel makes columns of the result, or takes columns of the input and adds.
                if transposition == .transposed {
                    multiply(input, panel, transposition, keep: keep, into: result[columns: range])
                } else {
                    multiply(
                        input[columns: range], panel, transposition, keep: range.lowerBound == 0 ? keep : 1,
                        into: result)
                }
            }
        }
    }
}
