public import LinearAlgebra

/// What a product of factors gives back of a matrix.
public struct Reconstruction: Sendable {
    /// ‖M − A·B‖_F / ‖M‖_F.
    public let relativeError: Double
    /// The same with the negative entries of A·B set to 0.
    public let rectifiedError: Double
    /// Entries that are 0 in M and positive in A·B, largest first, ties by row and column; as many as asked for.
    public let derived: [Entry]

    public struct Entry: Sendable, Equatable {
        public let row: Int
        public let column: Int
        public let value: Double
    }

    /// Which new entries are wanted.
    public struct Wanted: Sendable {
        /// At most so many.
        public var most: Int
        /// None below.
        public var least: Double

        /// None.
        public static let none = Wanted(most: 0, least: .infinity)

        public init(most: Int, least: Double) {
            self.most = most
            self.least = least
        }
    }
}

extension ShardedMatrix {
    /// Multiplies the factors out, shard by shard, and compares. The whole product is never in memory.
    public func reconstruction(
        left: DoubleMatrix, right: DoubleMatrix, wanted: Reconstruction.Wanted = .none
    ) throws -> Reconstruction {
        var found = DerivedEntries(wanted)
        let sums = try sum(count: 2) { rows, target in
            let product = DoubleMatrix(rows: rows.count, columns: columns)
            multiply(left[rows: rows], .none, right.view, into: product.view)
            var (error, rectified) = (0.0, 0.0)
            for (offset, row) in rows.enumerated() {
                let (values, original) = (product.row(offset), matrix.row(row))
                for column in 0..<columns {
                    let (value, entry) = (values[column], original[column])
                    error += (entry - value) * (entry - value)
                    let positive = value > 0 ? value : 0
                    rectified += (entry - positive) * (entry - positive)
                    if entry == 0, value > 0 { found.offer(row * columns + column, value) }
                }
            }
            target[0] = error
            target[1] = rectified
        }
        // Places and values in turn, as numbers: a place below 2⁵³ is exact.
        let joined = try group.joined(found.best().flatMap { [Double($0.place), $0.value] })
        var all = DerivedEntries(wanted)
        for index in stride(from: 0, to: joined.count - 1, by: 2) { all.offer(Int(joined[index]), joined[index + 1]) }
        let norm = matrix.sumOfSquares
        func relative(_ squares: Double) -> Double { norm > 0 ? (squares / norm).squareRoot() : 0 }
        return Reconstruction(
            relativeError: relative(sums[0]), rectifiedError: relative(sums[1]),
            derived: all.best().map {
                Reconstruction.Entry(row: $0.place / columns, column: $0.place % columns, value: $0.value)
            })
    }
}

/// The best of many entries, of which few are kept at a time.
private struct DerivedEntries {
    private let wanted: Reconstruction.Wanted
    private var entries: [(place: Int, value: Double)] = []
    private var least: Double

    init(_ wanted: Reconstruction.Wanted) {
        self.wanted = wanted
        least = wanted.least
    }

    mutating func offer(_ place: Int, _ value: Double) {
        guard value >= least, wanted.most > 0 else { return }
        entries.append((place, value))
        if wanted.most < 1 << 40, entries.count >= 4 * max(wanted.most, 1 << 12) {
            entries = best()
            least = max(least, entries.last?.value ?? least)
        }
    }

    /// Largest first, ties by place.
    func best() -> [(place: Int, value: Double)] {
        Array(
            entries.sorted { $0.value != $1.value ? $0.value > $1.value : $0.place < $1.place }.prefix(wanted.most))
    }
}
