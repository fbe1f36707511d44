import Diagnostics
import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

/// The sizes are those that the format's own library, 0.8.0, asks for.
@Suite("Types that are not computed with")
struct ElementTypeTests {
    private static let types: [(dtype: String, count: Int, bytes: Int)] = [
        ("F8_E4M3", 3, 3), ("F8_E5M2", 3, 3), ("F8_E8M0", 3, 3), ("F8_E4M3FNUZ", 3, 3), ("F8_E5M2FNUZ", 3, 3),
        ("C64", 3, 24),
        ("F4", 6, 3), ("F6_E2M3", 4, 3), ("F6_E3M2", 8, 6),
    ]

    @Test("are read with their bytes beside others, and refused by name where numbers are needed", arguments: types)
    func carried(dtype: String, count: Int, bytes: Int) throws {
        let contents = (0..<bytes).map { UInt8($0 + 1) }
        let raw = try RawFile(
            header: #"""
                {"s":{"dtype":"\#(dtype)","shape":[\#(count),1],"data_offsets":[0,\#(bytes)]},
                "w":{"dtype":"F32","shape":[1],"data_offsets":[\#(bytes),\#(bytes + 4)]}}
                """#, data: contents + [0, 0, 0x80, 0x3F])
        let file = try SafetensorsFile(path: raw.path)
        let tensor = try #require(file.tensor(named: "s"))
        #expect(tensor.elementType.rawValue == dtype && tensor.shape == [count, 1])
        #expect(tensor.count == count && tensor.byteCount == bytes)
        #expect(Array(file.bytes(of: tensor)) == contents)
        #expect(try file.floats(of: "w", shape: [1]) == [1])
        let error = #expect(throws: SafetensorsError.self) { try file.floats(of: "s", shape: [count, 1]) }
        #expect(error?.description.contains("'s' has dtype \(dtype), expected F32") == true)
    }

    @Test("that end within a byte are refused", arguments: [("F4", 3), ("F4", 1), ("F6_E2M3", 3), ("F6_E3M2", 1)])
    func partOfByte(dtype: String, count: Int) throws {
        let raw = try RawFile(dtype: dtype, shape: [count], data: [UInt8](repeating: 0, count: count))
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: raw.path) }
        #expect(error?.description.contains("whole bytes") == true)
    }

    @Test("whose size is not known are refused", arguments: ["F3", "C128", "I4", "f32"])
    func unknown(dtype: String) throws {
        let raw = try RawFile(dtype: dtype, shape: [0], data: [])
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: raw.path) }
        #expect(error?.description.contains("dtype '\(dtype)', expected one of F64") == true)
    }

    @Test("metadata that is null is none, as in the format's own library; nothing else stands for it")
    func nullMetadata() throws {
        func metadata(_ text: String) throws -> [String: String] {
            let raw = try RawFile(header: #"{"__metadata__": \#(text)}"#)
            return try withExtendedLifetime(raw) { try SafetensorsFile(path: raw.path).metadata }
        }
        #expect(try metadata("null") == [:])
        #expect(try metadata("{}") == [:])
        for text in ["nul", "nulll", "[]", "0", "false", #""x""#, #"{"n": null}"#, #"{"n": 0}"#] {
            #expect(throws: SafetensorsError.self) { try metadata(text) }
        }
    }

    @Test("a Git LFS pointer is called so")
    func pointer() throws {
        let raw = try RawFile(bytes: Data("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n".utf8))
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: raw.path) }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains("a Git LFS pointer") == true)
    }
}
