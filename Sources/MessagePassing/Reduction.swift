internal import COpenMPI

/// An operation that combines the values of all processes, element by element (MPI 3.1, section 5.9.2).
public struct Reduction<Element: MessageElement>: Sendable {
    private enum Operation {
        case sum, minimum, maximum, bitwiseAnd, bitwiseOr
    }

    private let operation: Operation

    /// The sum; integers wrap around.
    ///
    /// The order of the additions depends on the number of processes and on the size of the message, so the last bits
    /// of a floating-point sum do, too. The corresponding C constant is `MPI_SUM`.
    public static var sum: Self { Self(operation: .sum) }

    /// The smallest value. What a NaN gives is not defined. The corresponding C constant is `MPI_MIN`.
    public static var minimum: Self { Self(operation: .minimum) }

    /// The greatest value. What a NaN gives is not defined. The corresponding C constant is `MPI_MAX`.
    public static var maximum: Self { Self(operation: .maximum) }

    var handle: MPI_Op {
        switch operation {
        case .sum: COpenMPI_SUM()
        case .minimum: COpenMPI_MIN()
        case .maximum: COpenMPI_MAX()
        case .bitwiseAnd: COpenMPI_BAND()
        case .bitwiseOr: COpenMPI_BOR()
        }
    }
}

extension Reduction where Element: FixedWidthInteger {
    /// The bits set in all values. The corresponding C constant is `MPI_BAND`.
    public static var bitwiseAnd: Self { Self(operation: .bitwiseAnd) }

    /// The bits set in any value. The corresponding C constant is `MPI_BOR`.
    public static var bitwiseOr: Self { Self(operation: .bitwiseOr) }
}
