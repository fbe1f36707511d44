/// A row-major matrix of single-precision numbers that someone else owns and that is only read.
///
/// Element (r, c) lies at `base[r * stride + c]`. The owner must outlive the view; the views of this project point into
/// buffers that live as long as the network or the mapped file they belong to.
public struct MatrixView {
    public let base: UnsafePointer<Float>
    public let rows: Int
    public let columns: Int
    /// Distance between the starts of two rows, in elements; at least `columns`.
    public let stride: Int

    /// - Precondition: `rows`, `columns` ≥ 0 and `stride` ≥ `columns`.
    public init(base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        precondition(rows >= 0 && columns >= 0 && (stride ?? columns) >= columns)
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// The rows of `range` alone.
    public subscript(rows range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return MatrixView(base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// The columns of `range` alone.
    public func columns(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return MatrixView(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The elements of one row.
    public func row(_ index: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: rowStart(index), count: columns)
    }

    /// The first element of one row.
    public func rowStart(_ index: Int) -> UnsafePointer<Float> {
        precondition(index >= 0 && index < rows)
        return base + index * stride
    }
}

/// A row-major matrix of single-precision numbers that someone else owns and that may be written.
public struct MutableMatrixView {
    public let base: UnsafeMutablePointer<Float>
    public let rows: Int
    public let columns: Int
    /// Distance between the starts of two rows, in elements; at least `columns`.
    public let stride: Int

    /// - Precondition: `rows`, `columns` ≥ 0 and `stride` ≥ `columns`.
    public init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        precondition(rows >= 0 && columns >= 0 && (stride ?? columns) >= columns)
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// The same elements, to be read.
    public var view: MatrixView { MatrixView(base: base, rows: rows, columns: columns, stride: stride) }

    /// The rows of `range` alone.
    public subscript(rows range: Range<Int>) -> MutableMatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return MutableMatrixView(
            base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// The columns of `range` alone.
    public func columns(_ range: Range<Int>) -> MutableMatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return MutableMatrixView(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The elements of one row.
    public func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: rowStart(index), count: columns)
    }

    /// The first element of one row.
    public func rowStart(_ index: Int) -> UnsafeMutablePointer<Float> {
        precondition(index >= 0 && index < rows)
        return base + index * stride
    }

    /// Sets every element to zero.
    public func clear() {
        for index in 0..<rows { row(index).update(repeating: 0) }
    }
}
