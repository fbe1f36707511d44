internal import COpenBLAS

/// `matrix = leftVectors · diag(singularValues) · rightVectors`, thin, in double precision.
public struct DoubleSingularValueDecomposition {
    /// [rows, k], orthonormal columns.
    public let leftVectors: DoubleMatrix
    /// Largest first; k = min(rows, columns) of them.
    public let singularValues: [Double]
    /// [k, columns], orthonormal rows.
    public let rightVectors: DoubleMatrix
}

/// The thin singular value decomposition in double precision. The corresponding LAPACK routine is `dgesdd`.
///
/// - Throws: ``LinearAlgebraError`` for elements that are not finite, and for a matrix too large for LAPACK.
public func singularValueDecomposition(
    of matrix: DoubleMatrix
) throws(LinearAlgebraError) -> DoubleSingularValueDecomposition {
    let copy = try finiteCopy(of: matrix, for: "dgesdd")
    let (m, n) = (matrix.rows, matrix.columns)
    let k = min(m, n)
    let left = DoubleMatrix(rows: m, columns: k)
    let right = DoubleMatrix(rows: k, columns: n)
    guard k > 0 else {
        return DoubleSingularValueDecomposition(leftVectors: left, singularValues: [], rightVectors: right)
    }
    var values = [Double](repeating: 0, count: k)
    // LAPACK reads columns, so it sees the transposed matrix; its left vectors are the right ones, where they belong.
    let info = LAPACKE_dgesdd(
        LAPACK_COL_MAJOR, Int8(UInt8(ascii: "S")), blasInt(n), blasInt(m), copy.pointer, blasInt(n), &values,
        right.pointer, blasInt(n), left.pointer, blasInt(k))
    withExtendedLifetime((copy, left, right)) {}
    try check(info, "dgesdd", matrix)
    return DoubleSingularValueDecomposition(leftVectors: left, singularValues: values, rightVectors: right)
}

/// `matrix = vectorsᵀ · diag(values) · vectors` of a symmetric matrix, of which the upper triangle is read. The
/// corresponding LAPACK routine is `dsyevd`.
///
/// - Returns: the eigenvalues, smallest first, and the eigenvectors as rows in the same order.
/// - Throws: ``LinearAlgebraError`` for elements that are not finite, and for a matrix too large for LAPACK.
/// - Precondition: the matrix is square.
public func symmetricEigendecomposition(
    of matrix: DoubleMatrix
) throws(LinearAlgebraError) -> (values: [Double], vectors: DoubleMatrix) {
    precondition(matrix.rows == matrix.columns)
    let vectors = try finiteCopy(of: matrix, for: "dsyevd")
    let n = matrix.rows
    var values = [Double](repeating: 0, count: n)
    guard n > 0 else { return ([], vectors) }
    // The upper triangle by rows is the lower by columns.
    let info = LAPACKE_dsyevd(
        LAPACK_COL_MAJOR, Int8(UInt8(ascii: "V")), Int8(UInt8(ascii: "L")), blasInt(n), vectors.pointer, blasInt(n),
        &values)
    try check(info, "dsyevd", matrix)
    return (values, vectors)
}

/// An orthonormal basis of the space that the columns of a tall matrix span: [rows, columns]. The corresponding LAPACK
/// routines are `dgeqrf` and `dorgqr`.
///
/// - Throws: ``LinearAlgebraError`` for elements that are not finite, and for a matrix too large for LAPACK.
/// - Precondition: at least as many rows as columns.
public func orthonormalBasis(of matrix: DoubleMatrix) throws(LinearAlgebraError) -> DoubleMatrix {
    precondition(matrix.rows >= matrix.columns)
    let basis = try finiteCopy(of: matrix, for: "dgeqrf")
    let (m, n) = (matrix.rows, matrix.columns)
    guard n > 0 else { return basis }
    var reflectors = [Double](repeating: 0, count: n)
    try check(
        LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, blasInt(m), blasInt(n), basis.pointer, blasInt(n), &reflectors), "dgeqrf",
        matrix)
    try check(
        LAPACKE_dorgqr(LAPACK_ROW_MAJOR, blasInt(m), blasInt(n), blasInt(n), basis.pointer, blasInt(n), reflectors),
        "dorgqr", matrix)
    return basis
}

private func finiteCopy(of matrix: DoubleMatrix, for routine: String) throws(LinearAlgebraError) -> DoubleMatrix {
    let (rows, columns) = (matrix.rows, matrix.columns)
    guard min(rows, columns) <= LinearAlgebraError.largestSide, matrix.count <= Int(Int32.max) else {
        throw LinearAlgebraError(
            routine: routine, info: 0, rows: rows, columns: columns, isNotFinite: false, isTooLarge: true)
    }
    let copy = DoubleMatrix(rows: rows, columns: columns)
    for index in 0..<matrix.count {
        guard matrix.pointer[index].isFinite else {
            throw LinearAlgebraError(routine: routine, info: 0, rows: rows, columns: columns, isNotFinite: true)
        }
        copy.pointer[index] = matrix.pointer[index]
    }
    return copy
}

private func check(_ info: Int32, _ routine: String, _ matrix: DoubleMatrix) throws(LinearAlgebraError) {
    guard info != 0 else { return }
    throw LinearAlgebraError(
        routine: routine, info: Int(info), rows: matrix.rows, columns: matrix.columns, isNotFinite: false)
}
