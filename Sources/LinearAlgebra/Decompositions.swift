internal import COpenBLAS

/// `matrix = leftVectors · diag(singularValues) · rightVectors`, thin.
public struct SingularValueDecomposition {
    /// [rows, k], orthonormal columns.
    public let leftVectors: Matrix
    /// Largest first; k = min(rows, columns) of them.
    public let singularValues: [Float]
    /// [k, columns], orthonormal rows.
    public let rightVectors: Matrix
}

/// The thin singular value decomposition. The corresponding LAPACK routine is `sgesdd`.
public func singularValueDecomposition(of matrix: MatrixView) throws(LinearAlgebraError) -> SingularValueDecomposition {
    let copy = try finiteCopy(of: matrix, for: "sgesdd")
    defer { withExtendedLifetime(copy) {} }
    let k = min(matrix.rows, matrix.columns)
    let left = Matrix(rows: matrix.rows, columns: k)
    let right = Matrix(rows: k, columns: matrix.columns)
    var values = [Float](repeating: 0, count: k)
    guard k > 0 else {
        return SingularValueDecomposition(leftVectors: left, singularValues: [], rightVectors: right)
    }
    let info = LAPACKE_sgesdd(
        LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "S")), blasInt(matrix.rows), blasInt(matrix.columns),
        copy.pointer, blasInt(matrix.columns), &values, left.pointer, blasInt(k), right.pointer, blasInt(matrix.columns)
    )
    try check(info, "sgesdd", matrix)
    return SingularValueDecomposition(leftVectors: left, singularValues: values, rightVectors: right)
}

/// The thin QR decomposition: `matrix = q · r`, with `q` [rows, k] of orthonormal columns and `r` [k, columns] upper
/// triangular, k = min(rows, columns). The corresponding LAPACK routines are `sgeqrf` and `sorgqr`.
public func qrDecomposition(of matrix: MatrixView) throws(LinearAlgebraError) -> (q: Matrix, r: Matrix) {
    let copy = try finiteCopy(of: matrix, for: "sgeqrf")
    defer { withExtendedLifetime(copy) {} }
    let (m, n) = (matrix.rows, matrix.columns)
    let k = min(m, n)
    let q = Matrix(rows: m, columns: k)
    let r = Matrix(rows: k, columns: n)
    guard k > 0 else { return (q, r) }
    var reflectors = [Float](repeating: 0, count: k)
    try check(
        LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, blasInt(m), blasInt(n), copy.pointer, blasInt(n), &reflectors), "sgeqrf",
        matrix)
    for i in 0..<k { for j in i..<n { r[i, j] = copy[i, j] } }
    for i in 0..<m { for j in 0..<k { q[i, j] = copy[i, j] } }
    try check(
        LAPACKE_sorgqr(LAPACK_ROW_MAJOR, blasInt(m), blasInt(k), blasInt(k), q.pointer, blasInt(k), reflectors),
        "sorgqr", matrix)
    return (q, r)
}

private func finiteCopy(of matrix: MatrixView, for routine: String) throws(LinearAlgebraError) -> Matrix {
    let copy = Matrix(rows: matrix.rows, columns: matrix.columns)
    for r in 0..<matrix.rows {
        for (c, element) in matrix.row(r).enumerated() {
            guard element.isFinite else {
                throw LinearAlgebraError(
                    routine: routine, info: 0, rows: matrix.rows, columns: matrix.columns, isNotFinite: true)
            }
            copy[r, c] = element
        }
    }
    return copy
}

private func check(_ info: Int32, _ routine: String, _ matrix: MatrixView) throws(LinearAlgebraError) {
    guard info != 0 else { return }
    throw LinearAlgebraError(
        routine: routine, info: Int(info), rows: matrix.rows, columns: matrix.columns, isNotFinite: false)
}
