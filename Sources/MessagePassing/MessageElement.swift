internal import COpenMPI

/// A number that can travel between processes.
///
/// The conforming types are exactly those of this module: `Float`, `Double`, `Int32`, `Int64`, `UInt8`, `UInt32` and
/// `UInt64`. A conformance added elsewhere could misstate its representation and is not supported.
public protocol MessageElement: AdditiveArithmetic, BitwiseCopyable, Sendable {
    /// How MPI is to read the bytes of this type.
    static var representation: MessageRepresentation { get }
}

/// The representations of numbers that both Swift and MPI know (MPI 3.1, section 3.2.2).
public enum MessageRepresentation: Sendable {
    case float, double, int32, int64, uint8, uint32, uint64

    var datatype: MPI_Datatype {
        switch self {
        case .float: COpenMPI_FLOAT()
        case .double: COpenMPI_DOUBLE()
        case .int32: COpenMPI_INT32_T()
        case .int64: COpenMPI_INT64_T()
        case .uint8: COpenMPI_UINT8_T()
        case .uint32: COpenMPI_UINT32_T()
        case .uint64: COpenMPI_UINT64_T()
        }
    }
}

extension Float: MessageElement {
    public static var representation: MessageRepresentation { .float }
}
extension Double: MessageElement {
    public static var representation: MessageRepresentation { .double }
}
extension Int32: MessageElement {
    public static var representation: MessageRepresentation { .int32 }
}
extension Int64: MessageElement {
    public static var representation: MessageRepresentation { .int64 }
}
extension UInt8: MessageElement {
    public static var representation: MessageRepresentation { .uint8 }
}
extension UInt32: MessageElement {
    public static var representation: MessageRepresentation { .uint32 }
}
extension UInt64: MessageElement {
    public static var representation: MessageRepresentation { .uint64 }
}
