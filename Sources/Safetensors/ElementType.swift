/// The type of a tensor's elements. The raw values are those of the format.
public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
    case bool = "BOOL"
    // Types that are carried along, but not computed with.
    case complex64 = "C64"
    case float8e4m3 = "F8_E4M3"
    case float8e5m2 = "F8_E5M2"
    case float8e8m0 = "F8_E8M0"
    case float8e4m3fnuz = "F8_E4M3FNUZ"
    case float8e5m2fnuz = "F8_E5M2FNUZ"
    case float6e2m3 = "F6_E2M3"
    case float6e3m2 = "F6_E3M2"
    case float4 = "F4"

    /// Whether its numbers can be had in single precision.
    public var isConvertible: Bool { [.float64, .float32, .float16, .bfloat16].contains(self) }

    /// Bits of one element.
    var bits: Int {
        switch self {
        case .float64, .int64, .uint64, .complex64: 64
        case .float32, .int32, .uint32: 32
        case .float16, .bfloat16, .int16, .uint16: 16
        case .int8, .uint8, .bool, .float8e4m3, .float8e5m2, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz: 8
        case .float6e2m3, .float6e3m2: 6
        case .float4: 4
        }
    }

    /// Bytes of one element; 0 for a type of which several elements share a byte.
    public var size: Int { bits / 8 }

    /// Bytes of a tensor; nil where they cannot be counted, or the last element ends within a byte.
    func byteCount(of shape: [Int]) -> Int? {
        // Whole bytes where an element has them, so that their number may be as large as it can be.
        let unitsOfByte = bits % 8 == 0 ? 1 : 8
        var total = bits * unitsOfByte / 8
        for dimension in shape {
            let (product, overflow) = total.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            total = product
        }
        return total % unitsOfByte == 0 ? total / unitsOfByte : nil
    }

    /// The same of a shape that is known to have as many.
    ///
    /// - Precondition: they can be counted, and the last element ends with a byte.
    func requiredByteCount(of shape: [Int]) -> Int {
        guard let count = byteCount(of: shape) else { preconditionFailure("\(rawValue) of shape \(shape)") }
        return count
    }
}
