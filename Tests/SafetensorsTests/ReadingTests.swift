import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("A good file is read")
struct ReadingTests {
    @Test("names come in the order of their bytes, whatever the header's")
    func order() throws {
        let raw = try RawFile(
            header: #"""
                { "late" : {"data_offsets":[4,8],"shape":[1],"dtype":"F32"} ,
                  "__metadata__":{"format":"pt","empty":""},
                  "early":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]} }
                """#, data: [1, 2, 3, 4, 0, 0, 0x80, 0x3F])
        let file = try SafetensorsFile(path: raw.path)
        #expect(file.tensorNames == ["early", "late"])
        #expect(file.metadata == ["format": "pt", "empty": ""])
        let early = try #require(file.tensor(named: "early"))
        #expect(early.elementType == .int8 && early.shape == [2, 2])
        #expect(Array(file.bytes(of: early)) == [1, 2, 3, 4])
        #expect(try file.floats(of: "late", shape: [1]) == [1])
    }

    @Test("tensors without elements lie between, before and behind others", arguments: ["F32", "F16"])
    func empty(dtype: String) throws {
        let size = try #require(ElementType(rawValue: dtype)).size
        let raw = try RawFile(
            header: #"""
                {"a":{"dtype":"\#(dtype)","shape":[0,384],"data_offsets":[0,0]},
                "b":{"dtype":"\#(dtype)","shape":[1],"data_offsets":[0,\#(size)]},
                "c":{"dtype":"\#(dtype)","shape":[384,0],"data_offsets":[\#(size),\#(size)]}}
                """#, data: [UInt8](repeating: 0, count: size))
        let file = try SafetensorsFile(path: raw.path)
        #expect(try file.floats(of: "a", shape: [0, 384]).isEmpty)
        #expect(try file.floats(of: "b", shape: [1]) == [0])
        #expect(try file.floats(of: "c", shape: [384, 0]).isEmpty)
        if let mapped = try file.mappedFloats(of: "c", shape: [384, 0]) { #expect(mapped.isEmpty) }
        #expect(throws: SafetensorsError.self) { try file.floats(of: "a", shape: [384, 0]) }
    }

    @Test("a number without dimensions has one element")
    func scalar() throws {
        let raw = try RawFile(dtype: "F32", shape: [], data: [0, 0, 0, 0x40])
        #expect(try SafetensorsFile(path: raw.path).floats(of: "x", shape: []) == [2])
    }

    @Test("a file without tensors is a file", arguments: ["{}", #"{"__metadata__":{}}"#, " {} "])
    func noTensors(header: String) throws {
        let raw = try RawFile(header: header)
        let file = try SafetensorsFile(path: raw.path)
        #expect(file.tensorNames.isEmpty && file.metadata.isEmpty)
    }

    @Test("escapes in names and metadata mean what JSON says")
    func escapes() throws {
        let raw = try RawFile(
            header: #"{"__metadata__":{"a\n\t\r\b\f\/\\\"":"\u00e9\ud83d\ude00\u0000"},"#
                + #""\u4e2d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)
        let file = try SafetensorsFile(path: raw.path)
        #expect(file.metadata == ["a\n\t\r\u{8}\u{C}/\\\"": "é😀\u{0}"])
        #expect(file.tensorNames == ["中"])
    }

    @Test("each dtype has the size that the format gives it")
    func sizes() throws {
        let bits: [String: Int] = [
            "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32,
            "U16": 16, "U8": 8, "BOOL": 8, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
            "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
        ]
        #expect(Set(bits.keys) == Set(ElementType.allCases.map(\.rawValue)))
        for (dtype, bits) in bits {
            let raw = try RawFile(dtype: dtype, shape: [8], data: [UInt8](repeating: 0, count: bits))
            #expect(try SafetensorsFile(path: raw.path).tensor(named: "x")?.elementType.rawValue == dtype)
        }
    }

    @Test("a file that the format's own library wrote")
    func real() throws {
        let file = try SafetensorsFile(path: Fixture.path("tiny-bert/model.safetensors"))
        #expect(file.tensorNames.count == 39)
        #expect(file.metadata == ["format": "pt"])
        let words = try file.floats(of: "embeddings.word_embeddings.weight", shape: [104, 32])
        let mapped = try #require(try file.mappedFloats(of: "embeddings.word_embeddings.weight", shape: [104, 32]))
        #expect(words == Array(mapped))
        #expect(words.allSatisfy(\.isFinite) && Set(words).count > 3000)
    }

    @Test("half-precision copies of a model are its numbers, rounded", arguments: ["float16", "bfloat16"])
    func halfPrecision(kind: String) throws {
        let exact = try TensorFolder(path: Fixture.path("tiny-bert"))
        let rounded = try TensorFolder(path: Fixture.path("tiny-bert-\(kind)"))
        // Half a unit in the last place: 11 or 8 significant bits.
        let tolerance: Float = kind == "float16" ? 0x1p-11 : 0x1p-8
        #expect(Set(exact.tensorNames) == Set(rounded.tensorNames))
        for name in exact.tensorNames {
            let shape = try #require(exact.tensor(named: name)).shape
            let pairs = zip(
                try exact.floats(of: name, shape: shape), try rounded.floats(of: name, shape: shape))
            // Below 2⁻¹⁴ float16 has a fixed spacing of 2⁻²⁴.
            #expect(pairs.allSatisfy { abs($0 - $1) <= max(abs($0) * tolerance, 0x1p-25) }, "\(name)")
        }
    }
}
