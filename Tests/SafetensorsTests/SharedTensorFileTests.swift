import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("A file written in parts")
struct SharedTensorFileTests {
    private let folder: Fixture.TemporaryFolder
    private var path: String { folder.path + "/shared.safetensors" }

    init() throws { folder = try Fixture.TemporaryFolder() }

    @Test("by two that opened it has the bytes of one that the writer writes")
    func parts() throws {
        let tensors = [
            TensorToWrite(name: "b", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
            TensorToWrite(name: "a", shape: [1], values: [7]),
        ]
        try SafetensorsWriter.write(tensors, metadata: ["k": "v"], to: path)
        let layout = try SafetensorsLayout(
            [
                .init(name: "b", elementType: .float32, shape: [2, 3]),
                .init(name: "a", elementType: .float32, shape: [1]),
            ], metadata: ["k": "v"])
        let first = try SharedTensorFile(creating: path + ".partial", layout: layout)
        let second = try SharedTensorFile(opening: path + ".partial", layout: layout)
        try ([4, 5, 6] as [Float]).withUnsafeBytes { try second.write($0, of: "b", at: 12) }
        try ([7] as [Float]).withUnsafeBytes { try first.write($0, of: "a", at: 0) }
        try ([1, 2, 3] as [Float]).withUnsafeBytes { try first.write($0, of: "b", at: 0) }
        try first.synchronize()
        try second.synchronize()
        #expect(throws: SafetensorsError.self) { try DurableFile.move(path + ".partial", toNew: path) }
        try DurableFile.move(path + ".partial", toNew: path + ".new")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: path + ".new")) == Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(layout.byteCount == (try SafetensorsFile(path: path)).byteCount)
        #expect(!DurableFile.exists(path + ".partial"))
    }

    @Test("is not created over another, nor opened where there is none")
    func refusals() throws {
        let layout = try SafetensorsLayout([], metadata: [:])
        _ = try SharedTensorFile(creating: path, layout: layout)
        for make in [
            { _ = try SharedTensorFile(creating: path, layout: layout) },
            { _ = try SharedTensorFile(opening: path + "2", layout: layout) },
            { _ = try SharedTensorFile(creating: "/nowhere/x", layout: layout) },
        ] { #expect(throws: SafetensorsError.self) { try make() } }
    }

    @Test("of more bytes than the disk has leaves nothing")
    func tooLarge() throws {
        let layout = try SafetensorsLayout(
            [.init(name: "a", elementType: .float32, shape: [1 << 58])], metadata: [:])
        #expect(throws: SafetensorsError.self) { try SharedTensorFile(creating: path, layout: layout) }
        #expect(!DurableFile.exists(path))
    }
}
