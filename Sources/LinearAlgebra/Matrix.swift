/// A row-major matrix that owns its elements and keeps its memory when it is resized, so that a training step that
/// works on batches of changing length allocates nothing once it has seen the longest.
public final class Matrix {
    public private(set) var rows: Int
    public private(set) var columns: Int
    private var capacity: Int
    private var base: UnsafeMutablePointer<Float>

    /// A matrix of zeros.
    public init(rows: Int = 0, columns: Int = 0) {
        precondition(rows >= 0 && columns >= 0)
        self.rows = rows
        self.columns = columns
        capacity = max(rows * columns, 1)
        base = Matrix.allocate(capacity)
    }

    /// A matrix with the given elements, row after row.
    public convenience init(rows: Int, columns: Int, elements: [Float]) {
        precondition(elements.count == rows * columns)
        self.init(rows: rows, columns: columns)
        for (index, element) in elements.enumerated() { base[index] = element }
    }

    deinit { base.deallocate() }

    /// Changes the shape. The elements are undefined afterwards; views taken before must not be used any more.
    public func resize(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0)
        if rows * columns > capacity {
            base.deallocate()
            capacity = rows * columns
            base = Matrix.allocate(capacity)
        }
        self.rows = rows
        self.columns = columns
    }

    /// Takes the shape and the elements of a view.
    public func copy(_ view: MatrixView) {
        resize(rows: view.rows, columns: view.columns)
        for row in 0..<rows { (base + row * columns).update(from: view.rowStart(row), count: columns) }
    }

    /// The elements, to be read. The view does not keep the matrix alive: hold on to the matrix while the view is used.
    public var view: MatrixView { MatrixView(base: base, rows: rows, columns: columns) }
    /// The elements, to be written; like `view`, it does not keep the matrix alive.
    public var mutableView: MutableMatrixView { MutableMatrixView(base: base, rows: rows, columns: columns) }
    /// The first element; like `view`, it does not keep the matrix alive.
    public var pointer: UnsafeMutablePointer<Float> { base }

    /// The elements, row after row.
    public var elements: [Float] { Array(UnsafeBufferPointer(start: base, count: rows * columns)) }

    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return base[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            base[row * columns + column] = newValue
        }
    }

    /// Zeroed memory that starts at a cache line.
    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
        let pointer = raw.bindMemory(to: Float.self, capacity: count)
        pointer.initialize(repeating: 0, count: count)
        return pointer
    }
}
