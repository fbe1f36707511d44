import Diagnostics
import Foundation
import Testing

@testable import Safetensors

@Suite("Numbers become single precision")
struct ConversionTests {
    /// IEEE 754 half precision, by its definition, in double precision.
    private static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10) % 32
        let fraction = Double(bits % 1024)
        switch exponent {
        case 31: return fraction == 0 ? sign * .infinity : .nan
        case 0: return sign * fraction / 1024 * pow(2, -14)
        default: return sign * (1 + fraction / 1024) * pow(2, Double(exponent - 15))
        }
    }

    @Test("float16: all 65,536 values, by the definition of the format")
    func everyHalf() throws {
        let all = Array(UInt16.min...UInt16.max)
        let file = try RawFile(dtype: "F16", shape: [256, 256], data: littleEndianBytes(all))
        let values = try SafetensorsFile(path: file.path).floats(of: "x", shape: [256, 256])
        var wrong: [UInt16] = []
        for (bits, value) in zip(all, values) {
            let expected = Self.half(bits)
            // Signs of zeros count, which == does not see.
            let same = expected.isNaN ? value.isNaN : Double(value).bitPattern == expected.bitPattern
            if !same { wrong.append(bits) }
        }
        #expect(values.count == all.count)
        #expect(wrong.isEmpty)
    }

    @Test("bfloat16: all 65,536 values are the upper halves of single precision")
    func everyBFloat() throws {
        let all = Array(UInt16.min...UInt16.max)
        let file = try RawFile(dtype: "BF16", shape: [65536], data: littleEndianBytes(all))
        let values = try SafetensorsFile(path: file.path).floats(of: "x", shape: [65536])
        #expect(values.map(\.bitPattern) == all.map { UInt32($0) << 16 })
    }

    @Test("float64 is rounded to nearest")
    func doubles() throws {
        let numbers = [1 / 3, -0.0, 1e300, 0x1p-1074, .infinity, 16_777_217]
        let file = try RawFile(dtype: "F64", shape: [6], data: littleEndianBytes(numbers.map(\.bitPattern)))
        let values = try SafetensorsFile(path: file.path).floats(of: "x", shape: [6])
        #expect(values.map(\.bitPattern) == numbers.map { Float($0).bitPattern })
    }

    @Test("float32 keeps its bits at any alignment, NaN payloads too", arguments: 0..<8)
    func singles(padding: Int) throws {
        let bits: [UInt32] = [0x3F80_0000, 0x8000_0000, 0x7FC0_1234, 0x0000_0001]
        let raw = try RawFile(dtype: "F32", shape: [4], data: littleEndianBytes(bits), padding: padding)
        let file = try SafetensorsFile(path: raw.path)
        #expect(try file.floats(of: "x", shape: [4]).map(\.bitPattern) == bits)
        let start = try raw.headerLength + 8
        let mapped = try file.mappedFloats(of: "x", shape: [4])
        // Floats are lent where they lie exactly when they lie at a multiple of four bytes.
        #expect((mapped != nil) == (start % 4 == 0))
        if let mapped { #expect(mapped.map(\.bitPattern) == bits) }
    }

    @Test("what must be converted is not lent", arguments: ["F16", "BF16", "F64"])
    func notLent(dtype: String) throws {
        let size = try #require(ElementType(rawValue: dtype)).size
        let raw = try RawFile(dtype: dtype, shape: [4], data: [UInt8](repeating: 0, count: 4 * size))
        let file = try SafetensorsFile(path: raw.path)
        #expect(try file.mappedFloats(of: "x", shape: [4]) == nil)
        #expect(try file.floats(of: "x", shape: [4]) == [0, 0, 0, 0])
    }

    @Test(
        "whole numbers and truth values are no floats",
        arguments: [ElementType.int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .bool])
    func wholeNumbers(type: ElementType) throws {
        let raw = try RawFile(dtype: type.rawValue, shape: [3], data: [UInt8](repeating: 1, count: 3 * type.size))
        let file = try SafetensorsFile(path: raw.path)
        let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "x", shape: [3]) }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains("'x' has dtype \(type.rawValue), expected F32") == true)
    }

    @Test("another shape is refused, with what was found and expected")
    func otherShape() throws {
        let raw = try RawFile(dtype: "F32", shape: [2, 3], data: [UInt8](repeating: 0, count: 24))
        let file = try SafetensorsFile(path: raw.path)
        for shape in [[3, 2], [6], [2, 3, 1], []] {
            let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "x", shape: shape) }
            #expect(error?.description.contains("'x' has shape [2, 3], expected \(shape)") == true)
            #expect(throws: SafetensorsError.self) { try file.mappedFloats(of: "x", shape: shape) }
        }
    }

    @Test("a tensor that is not there is refused by its name")
    func noSuchTensor() throws {
        let raw = try RawFile(dtype: "F32", shape: [1], data: [0, 0, 0, 0])
        let file = try SafetensorsFile(path: raw.path)
        let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "y", shape: [1]) }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains("no tensor 'y'") == true)
        #expect(error?.description.contains("'x'") == true)
        #expect(file.tensor(named: "y") == nil)
    }

    @Test("every float16 and bfloat16 comes back from single precision, and what lies between goes to the nearest")
    func back() {
        for type in [ElementType.float16, .bfloat16] {
            let all = (UInt16.min...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            let values = type.floats(from: all)
            let back = type.floats(from: type.bytes(of: values))
            #expect(zip(values, back).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
            // Half-way between neighbours of one sign: the even one.
            for bits in stride(from: 1, to: 0x7000, by: 37) {
                let middle = (values[bits] + values[bits + 1]) / 2
                let even = bits % 2 == 0 ? bits : bits + 1
                #expect(type.floats(from: type.bytes(of: [middle, -middle])) == [values[even], -values[even]])
                #expect(
                    type.floats(from: type.bytes(of: [middle.nextUp, middle.nextDown])) == [
                        values[bits + 1], values[bits],
                    ])
            }
        }
        #expect(
            ElementType.float16.floats(from: ElementType.float16.bytes(of: [65_519, 65_520])) == [65_504, .infinity])
        #expect(ElementType.float64.floats(from: ElementType.float64.bytes(of: [0.1, -3])) == [0.1, -3])
    }
}

extension RawFile {
    /// As the file's first eight bytes say.
    fileprivate var headerLength: Int {
        get throws {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(8)
            return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }
}
