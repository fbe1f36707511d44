/// Single precision and the bits of other formats.
enum FloatBits {
    // From other formats, exactly.

    /// IEEE 754 half precision.
    static func fromHalf(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            // Zero or subnormal: fraction · 2⁻²⁴.
            let magnitude = Float(fraction) * 0x1p-24
            return Float(bitPattern: magnitude.bitPattern | sign)
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// The upper half of a single-precision number.
    static func fromBFloat16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// The nearest half-precision number, of two the even one; infinite from 65,520 on.
    static func half(_ value: Float) -> UInt16 { Float16(value).bitPattern }

    /// The nearest number of single precision's upper half, of two the even one; NaN stays NaN.
    static func bFloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }

    /// - Precondition: the type is convertible, and the bytes hold whole elements.
    static func floats(from bytes: UnsafeRawBufferPointer, of type: ElementType) -> [Float] {
        let count = bytes.count / type.size
        return [Float](unsafeUninitializedCapacity: count) { values, filled in
            filled = count
            switch type {
            case .float64:
                for index in 0..<count {
                    values[index] = Float(
                        Double(bitPattern: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)))
                }
            case .float16:
                for index in 0..<count {
                    values[index] = fromHalf(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                }
            case .bfloat16:
                for index in 0..<count {
                    values[index] = fromBFloat16(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                }
            default:
                precondition(type == .float32)
                UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
            }
        }
    }
}

extension ElementType {
    /// What ``bytes(of:)`` gave, in single precision.
    ///
    /// - Precondition: ``isConvertible``.
    public func floats(from bytes: [UInt8]) -> [Float] {
        precondition(isConvertible && bytes.count % size == 0)
        return bytes.withUnsafeBytes { FloatBits.floats(from: $0, of: self) }
    }

    /// Single-precision numbers as the bytes of this type, rounded to the nearest.
    ///
    /// - Precondition: ``isConvertible``.
    public func bytes(of values: [Float]) -> [UInt8] {
        func bytes<Element>(_ elements: [Element]) -> [UInt8] { elements.withUnsafeBytes { [UInt8]($0) } }
        switch self {
        case .float64: return bytes(values.map { Double($0) })
        case .float16: return bytes(values.map { FloatBits.half($0) })
        case .bfloat16: return bytes(values.map { FloatBits.bFloat16($0) })
        default:
            precondition(self == .float32)
            return bytes(values)
        }
    }
}
