/// A row-major matrix of double-precision numbers that owns its elements, for decompositions; networks compute in single
/// precision, with ``Matrix``.
public final class DoubleMatrix {
    public let rows: Int
    public let columns: Int
    private let base: UnsafeMutablePointer<Double>

    /// A matrix of zeros.
    ///
    /// - Precondition: `rows`, `columns` ≥ 0, and their product can be counted.
    public init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0)
        self.rows = rows
        self.columns = columns
        base = .allocate(capacity: max(rows * columns, 1))
        base.initialize(repeating: 0, count: max(rows * columns, 1))
    }

    /// A matrix with the given elements, row after row.
    public convenience init(rows: Int, columns: Int, elements: [Double]) {
        precondition(elements.count == rows * columns)
        self.init(rows: rows, columns: columns)
        elements.withUnsafeBufferPointer { elements in
            if let source = elements.baseAddress { base.update(from: source, count: elements.count) }
        }
    }

    deinit { base.deallocate() }

    public var count: Int { rows * columns }
    /// The first element; it does not keep the matrix alive.
    public var pointer: UnsafeMutablePointer<Double> { base }
    /// The elements, row after row.
    public var elements: [Double] { Array(UnsafeBufferPointer(start: base, count: count)) }
    /// All elements.
    public var view: DoubleMatrixView { self[rows: 0..<rows, columns: 0..<columns] }

    /// A part of the rows, all columns.
    public subscript(rows range: Range<Int>) -> DoubleMatrixView { self[rows: range, columns: 0..<columns] }

    /// A part.
    public subscript(rows rowRange: Range<Int>, columns columnRange: Range<Int>) -> DoubleMatrixView {
        precondition(rowRange.lowerBound >= 0 && rowRange.upperBound <= rows)
        precondition(columnRange.lowerBound >= 0 && columnRange.upperBound <= columns)
        return DoubleMatrixView(
            base: base + rowRange.lowerBound * columns + columnRange.lowerBound, rows: rowRange.count,
            columns: columnRange.count, stride: columns, owner: self)
    }

    public subscript(row: Int, column: Int) -> Double {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return base[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            base[row * columns + column] = newValue
        }
    }

    /// One row; it does not keep the matrix alive.
    public func row(_ index: Int) -> UnsafeMutableBufferPointer<Double> {
        precondition(index >= 0 && index < rows)
        return UnsafeMutableBufferPointer(start: base + index * columns, count: columns)
    }

    public func transposed() -> DoubleMatrix {
        let result = DoubleMatrix(rows: columns, columns: rows)
        // In blocks, so that neither side leaves the cache.
        let block = 32
        for firstRow in stride(from: 0, to: rows, by: block) {
            for firstColumn in stride(from: 0, to: columns, by: block) {
                for row in firstRow..<min(firstRow + block, rows) {
                    for column in firstColumn..<min(firstColumn + block, columns) {
                        result.base[column * rows + row] = base[row * columns + column]
                    }
                }
            }
        }
        return result
    }

    /// Σ elements², in the order of the elements.
    public var sumOfSquares: Double {
        var sum = 0.0
        for index in 0..<count { sum += base[index] * base[index] }
        return sum
    }
}

/// A part of a row-major matrix of double-precision numbers.
///
/// It keeps the matrix alive: one that stands in an array may otherwise go while a product still reads it, as arrays may be
/// released after their last use.
public struct DoubleMatrixView {
    public let base: UnsafeMutablePointer<Double>
    public let rows: Int
    public let columns: Int
    /// Distance between the starts of two rows, in elements; at least `columns`.
    public let stride: Int
    /// What owns the memory; nil if the maker of the view answers for it.
    let owner: DoubleMatrix?

    /// A view of memory that someone else keeps alive.
    ///
    /// - Precondition: `rows`, `columns` ≥ 0.
    public init(base: UnsafeMutablePointer<Double>, rows: Int, columns: Int) {
        self.init(base: base, rows: rows, columns: columns, stride: columns, owner: nil)
    }

    init(base: UnsafeMutablePointer<Double>, rows: Int, columns: Int, stride: Int, owner: DoubleMatrix?) {
        precondition(rows >= 0 && columns >= 0 && stride >= columns)
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride
        self.owner = owner
    }
}
