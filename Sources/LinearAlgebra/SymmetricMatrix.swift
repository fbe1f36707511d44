internal import COpenBLAS

/// A symmetric matrix of double-precision numbers.
public struct SymmetricMatrix: Sendable {
    /// Rows, and columns.
    public let order: Int
    /// [order, order]; the lower triangle is what is read.
    private var elements: [Double]

    /// The smaller of `matrixᵀ·matrix` and `matrix·matrixᵀ`, with the same eigenvalues but for zeros: the squares of the
    /// singular values.
    ///
    /// Summed in double precision block by block in an order that depends on the shape alone; beside the result it takes a
    /// few megabytes. The corresponding BLAS routine is `dsyrk`.
    ///
    /// - Parameter rowFactors: multiply the rows first, one for each; nil leaves them.
    public init(gramOf matrix: MatrixView, rowFactors: [Double]? = nil) {
        precondition(rowFactors.map { $0.count == matrix.rows } ?? true)
        order = min(matrix.rows, matrix.columns)
        elements = [Double](repeating: 0, count: order * order)
        guard order > 0 else { return }
        let isTall = matrix.rows >= matrix.columns
        let length = isTall ? matrix.rows : matrix.columns
        let width = min(length, max(64, (1 << 18) / order))
        var block = [Double](repeating: 0, count: width * order)
        for start in stride(from: 0, to: length, by: width) {
            let part = start..<min(start + width, length)
            let rows = isTall ? part : 0..<order
            let columns = isTall ? 0..<order : part
            block.withUnsafeMutableBufferPointer { block in
                var place = 0
                for row in rows {
                    let values = UnsafeBufferPointer(rebasing: matrix.row(row)[columns])
                    let factor = rowFactors?[row] ?? 1
                    for index in 0..<values.count { block[place + index] = Double(values[index]) * factor }
                    place += values.count
                }
            }
            cblas_dsyrk(
                CblasRowMajor, CblasLower, isTall ? CblasTrans : CblasNoTrans, blasInt(order), blasInt(part.count), 1,
                block, blasInt(isTall ? order : part.count), 1, &elements, blasInt(order))
        }
    }

    /// `result = self · vector`. The corresponding BLAS routine is `dsymv`.
    ///
    /// - Precondition: both have `order` elements.
    public func multiply(_ vector: [Double], into result: inout [Double]) {
        precondition(vector.count == order && result.count == order)
        guard order > 0 else { return }
        cblas_dsymv(
            CblasRowMajor, CblasLower, blasInt(order), 1, elements, blasInt(order), vector, 1, 0, &result, 1)
    }

    /// Σ of the squares of all elements.
    public var sumOfSquares: Double {
        var total = 0.0
        for row in 0..<order {
            for column in 0..<row { total += 2 * elements[row * order + column] * elements[row * order + column] }
            total += elements[row * order + row] * elements[row * order + row]
        }
        return total
    }

    /// All eigenvalues, largest first. The corresponding LAPACK routine is `dsyevd`.
    public func eigenvalues() throws(LinearAlgebraError) -> [Double] {
        var copy = try finiteElements(for: "dsyevd")
        var values = [Double](repeating: 0, count: order)
        guard order > 0 else { return [] }
        try check(
            LAPACKE_dsyevd(
                LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "N")), Int8(UInt8(ascii: "L")), blasInt(order), &copy,
                blasInt(order), &values), "dsyevd")
        return values.reversed()
    }

    /// The largest eigenvalue alone; 0 of a matrix without rows. The corresponding LAPACK routine is `dsyevr`.
    public func largestEigenvalue() throws(LinearAlgebraError) -> Double {
        guard order > 0 else { return 0 }
        var copy = try finiteElements(for: "dsyevr")
        var values = [Double](repeating: 0, count: order)
        var found: Int32 = 0
        var support: [Int32] = [0, 0]
        var vectors = [0.0]
        try check(
            LAPACKE_dsyevr(
                LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "N")), Int8(UInt8(ascii: "I")), Int8(UInt8(ascii: "L")),
                blasInt(order), &copy, blasInt(order), 0, 0, blasInt(order), blasInt(order), 0, &found, &values,
                &vectors, blasInt(order), &support), "dsyevr")
        return values[0]
    }

    private func finiteElements(for routine: String) throws(LinearAlgebraError) -> [Double] {
        for row in 0..<order where !elements[row * order...row * order + row].allSatisfy(\.isFinite) {
            throw LinearAlgebraError(routine: routine, info: 0, rows: order, columns: order, isNotFinite: true)
        }
        return elements
    }

    private func check(_ info: Int32, _ routine: String) throws(LinearAlgebraError) {
        guard info != 0 else { return }
        throw LinearAlgebraError(
            routine: routine, info: Int(info), rows: order, columns: order, isNotFinite: false)
    }
}
