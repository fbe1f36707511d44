#if canImport(Glibc)
    import Glibc
#endif

/// What a benchmark learns of the work that goes on between two moments: its products, and the time of its parts. Switched
/// off, it costs a test of one flag for each product.
package enum WorkLog {
    /// Parts of a network's passes that are timed; the rest is element-wise.
    package enum Part: String, CaseIterable, Sendable {
        case products, adapters, attention
    }

    /// The shape of a product, as BLAS was given it.
    package struct Product: Hashable, Sendable {
        package let rows, columns, inner: Int
        package let leftIsTransposed, rightIsTransposed: Bool
        package let keeps: Bool

        package init(
            rows: Int, columns: Int, inner: Int, leftIsTransposed: Bool = false, rightIsTransposed: Bool = false,
            keeps: Bool = false
        ) {
            (self.rows, self.columns, self.inner) = (rows, columns, inner)
            (self.leftIsTransposed, self.rightIsTransposed) = (leftIsTransposed, rightIsTransposed)
            self.keeps = keeps
        }
    }

    package struct Record: Sendable {
        package var products: [Product] = []
        package var seconds: [Part: Double] = [:]
    }

    // The training step works on one thread.
    nonisolated(unsafe) private static var record: Record?

    /// Runs some work and tells what it did.
    package static func recording(_ work: () throws -> Void) rethrows -> Record {
        record = Record()
        defer { record = nil }
        try work()
        return record ?? Record()
    }

    /// Counts the time of a piece of work to a part.
    @inline(__always)
    package static func measure<Result>(_ part: Part, _ work: () -> Result) -> Result {
        guard record != nil else { return work() }
        let start = now()
        defer { record?.seconds[part, default: 0] += now() - start }
        return work()
    }

    /// A product that was made, by BLAS or by a kernel of this program.
    @inline(__always)
    package static func note(_ product: @autoclosure () -> Product) {
        if record != nil { record?.products.append(product()) }
    }

    /// Makes the same products again, alone, with other numbers: the least time that the work could take with these
    /// kernels.
    ///
    /// - Returns: seconds.
    package static func replay(_ products: [Product]) -> Double {
        func largest(_ size: (Product) -> Int) -> Matrix {
            let matrix = Matrix(rows: 1, columns: products.map(size).max() ?? 1)
            for index in 0..<matrix.columns { matrix.pointer[index] = Float(index % 17) / 16 - 0.5 }
            return matrix
        }
        let (left, right) = (largest { $0.rows * $0.inner }, largest { $0.inner * $0.columns })
        let result = largest { $0.rows * $0.columns }
        let start = now()
        for product in products {
            let leftView = MatrixView(
                base: left.pointer, rows: product.leftIsTransposed ? product.inner : product.rows,
                columns: product.leftIsTransposed ? product.rows : product.inner)
            let rightView = MatrixView(
                base: right.pointer, rows: product.rightIsTransposed ? product.columns : product.inner,
                columns: product.rightIsTransposed ? product.inner : product.columns)
            let target = MutableMatrixView(base: result.pointer, rows: product.rows, columns: product.columns)
            let transposition: Transposition = product.rightIsTransposed ? .transposed : .none
            if product.leftIsTransposed {
                multiply(leftView, .transposed, rightView, transposition, keep: product.keeps ? 1 : 0, into: target)
            } else {
                RowProducts.multiply(leftView, rightView, transposition, keep: product.keeps ? 1 : 0, into: target)
            }
        }
        let seconds = now() - start
        withExtendedLifetime((left, right, result)) {}
        return seconds
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
