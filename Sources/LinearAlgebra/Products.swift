internal import COpenBLAS

/// Whether a factor of a product is read as it lies or transposed.
public enum Transposition: Sendable {
    case none, transposed

    var flag: CBLAS_TRANSPOSE { self == .none ? CblasNoTrans : CblasTrans }
}

/// `result = scale · op(left) · op(right) + keep · result`, in single precision.
///
/// The corresponding BLAS routine is `sgemm`. Which bits a row of the result gets may depend on the row's place in the
/// product.
///
/// - Precondition: the shapes fit.
public func multiply(
    _ left: MatrixView, _ leftTransposition: Transposition = .none,
    _ right: MatrixView, _ rightTransposition: Transposition = .none,
    scale: Float = 1, keep: Float = 0, into result: MutableMatrixView
) {
    let inner = leftTransposition == .none ? left.columns : left.rows
    precondition(result.rows == (leftTransposition == .none ? left.rows : left.columns))
    precondition(result.columns == (rightTransposition == .none ? right.columns : right.rows))
    precondition(inner == (rightTransposition == .none ? right.rows : right.columns))
    guard result.rows > 0, result.columns > 0 else { return }
    WorkLog.note(
        WorkLog.Product(
            rows: result.rows, columns: result.columns, inner: inner,
            leftIsTransposed: leftTransposition == .transposed,
            rightIsTransposed: rightTransposition == .transposed, keeps: keep != 0))
    cblas_sgemm(
        CblasRowMajor, leftTransposition.flag, rightTransposition.flag,
        blasInt(result.rows), blasInt(result.columns), blasInt(inner),
        scale, left.base, blasInt(max(left.stride, 1)), right.base, blasInt(max(right.stride, 1)),
        keep, result.base, blasInt(max(result.stride, 1)))
}

/// `result = op(left) · op(right)`, in double precision.
///
/// The corresponding BLAS routine is `dgemm`.
///
/// - Precondition: the shapes fit, and `result` overlaps neither factor.
public func multiply(
    _ left: DoubleMatrixView, _ leftTransposition: Transposition = .none,
    _ right: DoubleMatrixView, _ rightTransposition: Transposition = .none, into result: DoubleMatrixView
) {
    let inner = leftTransposition == .none ? left.columns : left.rows
    precondition(result.rows == (leftTransposition == .none ? left.rows : left.columns))
    precondition(result.columns == (rightTransposition == .none ? right.columns : right.rows))
    precondition(inner == (rightTransposition == .none ? right.rows : right.columns))
    guard result.rows > 0, result.columns > 0 else { return }
    cblas_dgemm(
        CblasRowMajor, leftTransposition.flag, rightTransposition.flag,
        blasInt(result.rows), blasInt(result.columns), blasInt(inner),
        1, left.base, blasInt(max(left.stride, 1)), right.base, blasInt(max(right.stride, 1)),
        0, result.base, blasInt(max(result.stride, 1)))
    withExtendedLifetime((left, right, result)) {}
}

/// BLAS counts in 32 bits.
///
/// - Precondition: the count fits; no matrix of this project has 2³¹ rows or columns.
func blasInt(_ count: Int) -> blasint {
    precondition(count <= Int(Int32.max), "a matrix dimension exceeds what BLAS can count")
    return blasint(count)
}

/// The BLAS library in use.
public enum BLASLibrary {
    /// The name of the processor type whose kernels OpenBLAS chose, for instance `SkylakeX`.
    public static var kernelType: String { String(cString: openblas_get_corename()) }

    /// OpenBLAS's version and build options.
    public static var build: String { String(cString: openblas_get_config()) }

    /// Address space that OpenBLAS takes for each thread that multiplies; most of it is never touched.
    public static let workspaceBytes = 1 << 27

    /// Whether that much can be had for so many threads. Where it cannot, as under a limit of address space (`ulimit -v`),
    /// OpenBLAS would ask for it again and again, and a product never come back.
    public static func hasWorkspace(threads: Int) -> Bool {
        let places = (0..<threads).map { _ in malloc(workspaceBytes) }
        defer { for place in places { free(place) } }
        return places.allSatisfy { $0 != nil }
    }

    /// How many threads a product may use within this process.
    public static func setThreads(_ count: Int) { openblas_set_num_threads(Int32(clamping: max(count, 1))) }
}
