/// A decomposition that LAPACK could not finish.
public struct LinearAlgebraError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The LAPACK routine.
    public let routine: String
    /// Its `info`: negative, the argument it refused; positive, where it stopped converging.
    public let info: Int
    /// The shape of the matrix.
    public let rows: Int
    public let columns: Int
    /// Whether the matrix held a number that is not finite; LAPACK is not called then.
    public let isNotFinite: Bool
    /// Whether the matrix has more elements than LAPACK can count; it is not called then.
    public var isTooLarge = false

    /// The greatest order for which the work space of `dgesdd` and `dsyevd` can be counted in 32 bits.
    static let largestSide = 20_000

    public var description: String {
        if isTooLarge {
            return
                "\(routine) of a \(rows) × \(columns) matrix: LAPACK counts its elements and its work space in 32 bits; "
                + "expected at most \(Self.largestSide) rows or columns, whichever are fewer, and \(Int32.max) elements"
        }
        if isNotFinite {
            return "\(routine) of a \(rows) × \(columns) matrix: it holds a number that is not finite; "
                + "look for the layer that produced it"
        }
        return info > 0
            ? "\(routine) of a \(rows) × \(columns) matrix did not converge (info \(info)); scale the matrix or try another"
            : "\(routine) of a \(rows) × \(columns) matrix refused its argument \(-info)"
    }
}
