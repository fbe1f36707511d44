import Diagnostics
import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("Written files")
struct WriterTests {
    private let folder: Fixture.TemporaryFolder
    private var path: String { folder.path + "/written.safetensors" }

    init() throws { folder = try Fixture.TemporaryFolder() }

    @Test("hold what was written, of every dtype, and of shapes without elements")
    func roundTrip() throws {
        let contents = (0..<96).map { UInt8($0) }
        try contents.withUnsafeBytes { bytes in
            var tensors = ElementType.allCases.map { type in
                TensorToWrite(
                    name: "t.\(type.rawValue)", elementType: type, shape: [3, 4],
                    bytes: UnsafeRawBufferPointer(rebasing: bytes[..<(12 * type.bits / 8)]))
            }
            tensors.append(TensorToWrite(name: "none", shape: [0, 384], values: []))
            tensors.append(TensorToWrite(name: "one", shape: [], values: [2.5]))
            try SafetensorsWriter.write(tensors, metadata: ["k": "v \"quoted\" \\ é\n"], to: path)
        }
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["k": "v \"quoted\" \\ é\n"])
        #expect(file.tensorNames.count == ElementType.allCases.count + 2)
        for type in ElementType.allCases {
            let tensor = try #require(file.tensor(named: "t.\(type.rawValue)"))
            #expect(tensor.elementType == type && tensor.shape == [3, 4])
            #expect(Array(file.bytes(of: tensor)) == Array(contents[..<(12 * type.bits / 8)]))
        }
        #expect(try file.floats(of: "none", shape: [0, 384]).isEmpty)
        #expect(try file.floats(of: "one", shape: []) == [2.5])
    }

    @Test("align every tensor to its elements, so that floats can be lent", arguments: 0..<9)
    func alignment(nameLength: Int) throws {
        let odd = String(repeating: "n", count: nameLength)
        try [UInt8(7)].withUnsafeBytes { byte in
            try SafetensorsWriter.write(
                [
                    TensorToWrite(name: "a" + odd, elementType: .uint8, shape: [1], bytes: byte),
                    TensorToWrite(name: "z" + odd, shape: [2], values: [1, 2]),
                ], metadata: [:], to: path)
        }
        let file = try SafetensorsFile(path: path)
        #expect(try file.mappedFloats(of: "z" + odd, shape: [2]).map { Array($0) } == [1, 2])
        let length = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(8)
        #expect(length.first.map { $0 % 8 } == 0)
    }

    @Test("have the same bytes whatever the order in which tensors and metadata are given")
    func deterministic() throws {
        let tensors = (0..<20).map { TensorToWrite(name: "t\($0)", shape: [1], values: [Float($0)]) }
        let keys = (0..<20).map { ("k\($0)", "v\($0)") }
        try SafetensorsWriter.write(tensors, metadata: Dictionary(uniqueKeysWithValues: keys), to: path)
        let first = try Data(contentsOf: URL(fileURLWithPath: path))
        try SafetensorsWriter.write(
            tensors.reversed(), metadata: Dictionary(uniqueKeysWithValues: keys.reversed()), to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    }

    @Test("have the data, byte for byte, that the format's own library writes for the same tensors")
    func sameAsLibrary() throws {
        let source = Fixture.path("tiny-bert-pruned-adapter/adapter_model.safetensors")
        let library = try SafetensorsFile(path: source)
        let tensors = try library.tensorNames.reversed().map { name in
            let tensor = try #require(library.tensor(named: name))
            return TensorToWrite(
                name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: library.bytes(of: tensor))
        }
        try SafetensorsWriter.write(tensors, metadata: library.metadata, to: path)
        let ours = try SafetensorsFile(path: path)
        #expect(ours.tensorNames == library.tensorNames)
        #expect(ours.metadata == library.metadata)
        #expect(try Self.data(of: path) == Self.data(of: source))
        withExtendedLifetime(library) {}
    }

    @Test("ask for a tensor's bytes only when its turn comes, in the order of the file")
    func streaming() throws {
        final class Turns { var names: [String] = [] }
        let turns = Turns()
        let tensors = ["c", "a", "b"].map { name in
            TensorToWrite(name: name, elementType: .float32, shape: [1]) {
                turns.names.append(name)
                return .floats([1])
            }
        }
        #expect(turns.names.isEmpty)
        try SafetensorsWriter.write(tensors, metadata: [:], to: path)
        #expect(turns.names == ["a", "b", "c"])
    }

    @Test("what making a tensor throws comes through")
    func failingTensor() throws {
        struct Failure: Error {}
        let tensor = TensorToWrite(name: "x", elementType: .float32, shape: [1]) { throw Failure() }
        #expect(throws: Failure.self) { try SafetensorsWriter.write([tensor], metadata: [:], to: path) }
    }

    @Test("a disk that is full is a failure of output")
    func fullDisk() throws {
        let tensor = TensorToWrite(name: "x", shape: [4096], values: [Float](repeating: 1, count: 4096))
        do {
            try SafetensorsWriter.write([tensor], metadata: [:], to: "/dev/full")
            Issue.record("wrote to a full disk")
        } catch let error as SafetensorsError {
            #expect(error.kind == .inputOutput)
            #expect(error.description.contains("/dev/full: cannot be written (No space left on device)"))
        }
    }

    private static func data(of path: String) throws -> Data {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        return bytes.dropFirst(8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) })
    }
}
