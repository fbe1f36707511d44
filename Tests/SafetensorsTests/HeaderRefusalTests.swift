import Diagnostics
import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("A bad file is refused with what is wrong and where")
struct HeaderRefusalTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let header: String
        var dataCount = 0
        let message: String

        init(_ what: String, _ header: String, dataCount: Int = 0, says message: String) {
            testDescription = what
            self.header = header
            self.dataCount = dataCount
            self.message = message
        }
    }

    private static func tensor(_ name: String, _ shape: String, _ offsets: String, dtype: String = "F32") -> String {
        #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    private static let entries: [Case] = [
        Case("no dtype", #"{"x":{"shape":[0],"data_offsets":[0,0]}}"#, says: "'x' lacks dtype"),
        Case("no shape", #"{"x":{"dtype":"F32","data_offsets":[0,0]}}"#, says: "'x' lacks dtype"),
        Case("no data_offsets", #"{"x":{"dtype":"F32","shape":[0]}}"#, says: "'x' lacks dtype"),
        Case("one data offset", "{\(tensor("x", "[0]", "[0]"))}", says: "'x' lacks dtype"),
        Case("three data offsets", "{\(tensor("x", "[0]", "[0,0,0]"))}", says: "'x' lacks dtype"),
        Case("an unknown dtype", "{\(tensor("x", "[0]", "[0,0]", dtype: "F33"))}", says: "'x' has dtype 'F33'"),
        Case("a key twice", #"{"x":{"dtype":"F32","dtype":"F32"}}"#, says: "repeated key 'dtype'"),
        Case(
            "a tensor twice", "{\(tensor("x", "[0]", "[0,0]")),\(tensor("x", "[0]", "[0,0]"))}",
            says: "'x' stands twice"),
        Case("metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#, says: "stands twice"),
        Case("a metadata key twice", #"{"__metadata__":{"a":"1","a":"2"}}"#, says: "'a' stands twice"),
        Case("metadata that is no text", #"{"__metadata__":{"a":1}}"#, says: "expected '\"'"),
        Case("a negative dimension", "{\(tensor("x", "[-1]", "[0,0]"))}", says: "whole number"),
        Case("a fractional dimension", "{\(tensor("x", "[1.5]", "[0,4]"))}", dataCount: 4, says: "expected ','"),
        Case("a number with a leading zero", "{\(tensor("x", "[01]", "[0,4]"))}", dataCount: 4, says: "leading zero"),
        Case("a dimension past 64 bits", "{\(tensor("x", "[99999999999999999999]", "[0,0]"))}", says: "too large"),
    ]

    private static let extents: [Case] = [
        Case(
            "a product past 64 bits", "{\(tensor("x", "[4294967296,4294967296]", "[0,0]"))}",
            says: "'x' of shape [4294967296, 4294967296]"),
        Case(
            "a product past 64 bits with a zero after it", "{\(tensor("x", "[4294967296,4294967296,0]", "[0,0]"))}",
            says: "a shape that can be counted"),
        Case(
            "fewer bytes than the shape says", "{\(tensor("x", "[2]", "[0,4]"))}", dataCount: 4,
            says: "expected 8 bytes"),
        Case(
            "offsets that run backwards", "{\(tensor("x", "[1]", "[4,0]"))}", dataCount: 4, says: "data_offsets [4, 0]"),
        Case(
            "offsets near the largest number",
            "{\(tensor("x", "[1]", "[9223372036854775803,9223372036854775807]"))}", says: "data_offsets"),
        Case(
            "overlapping tensors", "{\(tensor("x", "[2]", "[0,8]")),\(tensor("y", "[1]", "[4,8]"))}", dataCount: 8,
            says: "'y' starts at byte 4 of the data, expected 8; tensors overlap"),
        Case(
            "a hole between tensors", "{\(tensor("x", "[1]", "[0,4]")),\(tensor("y", "[1]", "[8,12]"))}",
            dataCount: 12, says: "leave a hole"),
        Case("a hole at the start", "{\(tensor("x", "[1]", "[4,8]"))}", dataCount: 8, says: "leave a hole"),
        Case(
            "data past the last tensor", "{\(tensor("x", "[1]", "[0,4]"))}", dataCount: 5,
            says: "longer than its header says"),
        Case("data that ends too early", "{\(tensor("x", "[1]", "[0,4]"))}", dataCount: 3, says: "truncated"),
    ]

    private static let texts: [Case] = [
        Case("no text at all", "", says: "expected '{'"),
        Case("an array", "[]", says: "expected '{'"),
        Case("an object that does not end", "{", says: "expected '\"'"),
        Case("text after the object", "{}{}", says: "more text after the object"),
        Case("a comma before the end", #"{"__metadata__":{},}"#, says: "expected '\"'"),
        Case("an unknown escape", #"{"\x":0}"#, says: "unknown escape"),
        Case("half of a surrogate pair", #"{"\ud800":0}"#, says: "surrogate"),
        Case("a low surrogate alone", #"{"\udc00":0}"#, says: "surrogate"),
        Case("three hexadecimal digits", #"{"\u12"#, says: "hexadecimal"),
        Case("a control character", "{\"a\u{1}\":0}", says: "control character"),
        Case("deep arrays", #"{"x":"# + String(repeating: "[", count: 200_000), says: "expected '{'"),
        Case("deep objects", String(repeating: #"{"x":"#, count: 200_000), says: "unexpected or repeated key 'x'"),
    ]

    @Test("for its header", arguments: entries + extents + texts)
    func header(_ bad: Case) throws {
        let file = try RawFile(header: bad.header, data: [UInt8](repeating: 0, count: bad.dataCount))
        expectRefusal(of: file.path, .badData, says: bad.message)
    }

    @Test("names that are no UTF-8 are refused")
    func invalidText() throws {
        let file = try RawFile(header: Array(#"{""#.utf8) + [0xFF] + Array(#"":0}"#.utf8))
        expectRefusal(of: file.path, .badData, says: "not UTF-8")
    }

    @Test("a header said to be longer than 100 MB is refused before it is looked for", arguments: [100_000_001, .max])
    func tooLong(_ length: UInt64) throws {
        let file = try RawFile(bytes: littleEndian(length) + Data("{}".utf8))
        expectRefusal(of: file.path, .badData, says: "expected at most 100000000")
    }

    @Test("a header said to be longer than the file is refused as truncated", arguments: [3, 100_000_000])
    func longerThanFile(_ length: UInt64) throws {
        let file = try RawFile(bytes: littleEndian(length) + Data("{}".utf8))
        expectRefusal(of: file.path, .badData, says: "the file is truncated")
    }

    @Test("a file too short for the header's length is refused", arguments: 0..<8)
    func tooShort(_ count: Int) throws {
        let file = try RawFile(bytes: Data(repeating: 0, count: count))
        expectRefusal(of: file.path, .badData, says: "expected at least 8")
    }

    @Test("every prefix of a good file is refused")
    func everyPrefix() throws {
        let whole = try RawFile(dtype: "F32", shape: [2], data: littleEndianBytes([Float(1), 2].map(\.bitPattern)))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: whole.path))
        for count in 0..<bytes.count {
            let file = try RawFile(bytes: bytes.prefix(count))
            #expect(throws: SafetensorsError.self, "\(count) bytes") { try SafetensorsFile(path: file.path) }
        }
    }

    @Test("no byte of a header, changed to any other, does more harm than a refusal")
    func everyByte() throws {
        let whole = try RawFile(
            header: #"{"__metadata__":{"a":"\u00e9"},"x":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}}"#,
            data: [0, 0, 0, 0])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: whole.path))
        var refused = 0
        for position in 0..<(bytes.count - 4) {
            for flip in [UInt8(0x01), 0x10, 0x80, 0xFF] {
                var changed = bytes
                changed[position] ^= flip
                try changed.write(to: URL(fileURLWithPath: whole.path))
                do {
                    let file = try SafetensorsFile(path: whole.path)
                    for name in file.tensorNames {
                        let shape = try #require(file.tensor(named: name)).shape
                        _ = try? file.floats(of: name, shape: shape)
                    }
                } catch { refused += 1 }
            }
        }
        // The rest change a name, a text or the case of a digit, which makes another good file.
        #expect(refused > bytes.count * 2)
    }

    @Test("a file that is not there is a missing input, even below a file", arguments: ["/nowhere/x", "/dev/null/x"])
    func missing(_ path: String) { expectRefusal(of: path, .missingInput, says: "cannot be opened") }

    @Test("a folder and a device are refused", arguments: ["/", "/dev/null"])
    func notAFile(_ path: String) { expectRefusal(of: path, .badData, says: "not a regular file") }

    @Test("a named pipe that nobody writes to is refused, not waited for", .timeLimit(.minutes(1)))
    func pipe() throws {
        let folder = try RawFile(header: "{}")
        let path = folder.folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        expectRefusal(of: path, .badData, says: "not a regular file")
    }

    private func littleEndian(_ number: UInt64) -> Data { Data(littleEndianBytes([number])) }

    private func expectRefusal(of path: String, _ kind: FailureKind, says message: String) {
        do {
            _ = try SafetensorsFile(path: path)
            Issue.record("read without a complaint")
        } catch {
            #expect(error.kind == kind, "\(error)")
            #expect(error.description.contains(message), "\(error)")
            #expect(error.description.contains(path) && !error.description.contains("\n"), "\(error)")
        }
    }
}
