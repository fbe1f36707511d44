/// How the rows of a product must be laid out so that their bits do not depend on what else is in the batch.
///
/// A row of `sgemm`'s result may depend on the row's place, because the rows at the edge of a block run through other
/// code. With rows in groups of a multiple of the right size, every group gets the bits it would get alone. The size
/// depends on the processor and on the shape; it is found by trying, never assumed.
public struct RowAlignment: Sendable, Equatable {
    /// The product of a batch of rows with one frozen matrix.
    public struct Shape: Hashable, Sendable, Comparable {
        public let inputs: Int
        public let outputs: Int
        /// Whether the matrix is stored as `[outputs, inputs]` (then it is read transposed) or as `[inputs, outputs]`.
        public let storedTransposed: Bool

        public init(inputs: Int, outputs: Int, storedTransposed: Bool) {
            self.inputs = inputs
            self.outputs = outputs
            self.storedTransposed = storedTransposed
        }

        public static func < (a: Shape, b: Shape) -> Bool {
            (a.inputs, a.outputs, a.storedTransposed ? 1 : 0) < (b.inputs, b.outputs, b.storedTransposed ? 1 : 0)
        }
    }

    /// Rows of a lane start and end at multiples of this.
    public let rows: Int
    /// Shapes for which no alignment was found: their products must be made lane by lane.
    public let unaligned: Set<Shape>

    /// No product reaches beyond this many rows, so that the library's own blocking of very long batches, which is not
    /// probed, never shows. A multiple of every alignment that is tried.
    public static let longestProduct = 1_920

    /// An alignment that was found elsewhere, or chosen by a test.
    public init(rows: Int, unaligned: Set<Shape>) {
        self.rows = rows
        self.unaligned = unaligned
    }

    /// The alignments that are tried, smallest first; a larger one would pad more than lane-wise products cost.
    static let candidates = [1, 2, 4, 8, 12, 16, 24]

    /// Finds the smallest alignment with which the products of these shapes are the same bits however the batch is cut.
    ///
    /// Takes a few milliseconds for each shape.
    public init(probing shapes: Set<Shape>) {
        var rows = 1
        var unaligned = Set<Shape>()
        for shape in shapes.sorted() {
            let probe = Probe(shape)
            // What is aligned to `rows` must also serve the shapes before: only multiples of it come into question.
            let fitting = Self.candidates.filter { $0 % rows == 0 || rows % $0 == 0 }
                .map { max($0, rows) }
            if let found = fitting.first(where: { probe.isExact(groupsOf: $0) }) {
                rows = found
            } else {
                unaligned.insert(shape)
            }
        }
        self.init(rows: rows, unaligned: unaligned)
    }

    /// The number of rows that a group of `count` rows occupies.
    public func padded(_ count: Int) -> Int { (count + rows - 1) / rows * rows }
}

/// Compares products of parts of a batch with the product of the whole.
private struct Probe {
    let shape: RowAlignment.Shape
    let batch: Matrix
    let weight: Matrix
    let whole: Matrix
    /// Enough rows that the whole runs through the library's ordinary code even where parts are small enough for its
    /// code for small matrices (which it uses up to about a million multiplications).
    let rowCount: Int

    init(_ shape: RowAlignment.Shape) {
        self.shape = shape
        let enough = (4_000_000 / max(shape.inputs * shape.outputs, 1) + 24) / 24 * 24
        rowCount = min(max(enough, 144), RowAlignment.longestProduct)
        // Numbers of mixed sign and size whose products round: any low-discrepancy sequence will do.
        func fill(_ matrix: Matrix, _ step: Double) {
            var x = 0.0
            for index in 0..<matrix.rows * matrix.columns {
                x += step
                x -= x.rounded(.down)
                matrix.pointer[index] = Float(x - 0.5)
            }
        }
        batch = Matrix(rows: rowCount, columns: shape.inputs)
        weight =
            shape.storedTransposed
            ? Matrix(rows: shape.outputs, columns: shape.inputs) : Matrix(rows: shape.inputs, columns: shape.outputs)
        whole = Matrix(rows: rowCount, columns: shape.outputs)
        fill(batch, 0.6180339887498949)
        fill(weight, 0.7548776662466927)
        product(of: 0..<rowCount, into: whole)
    }

    func product(of rows: Range<Int>, into result: Matrix) {
        multiply(
            batch.view[rows: rows], .none, weight.view, shape.storedTransposed ? .transposed : .none,
            into: result.mutableView)
    }

    /// Whether parts that start and end at multiples of `group` have the bits that they have in the whole.
    func isExact(groupsOf group: Int) -> Bool {
        let part = Matrix()
        for length in [1, 2, 3, 5] where group * length <= rowCount {
            for start in stride(from: 0, through: rowCount - group * length, by: group * (length + 2)) {
                part.resize(rows: group * length, columns: shape.outputs)
                product(of: start..<start + group * length, into: part)
                let expected = whole.view[rows: start..<start + group * length]
                for index in 0..<group * length * shape.outputs
                where part.pointer[index].bitPattern != expected.base[index].bitPattern { return false }
            }
        }
        withExtendedLifetime(part) {}
        return true
    }
}
