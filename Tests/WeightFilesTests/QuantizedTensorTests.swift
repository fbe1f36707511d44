import FixtureFiles
import Foundation
import Safetensors
import Testing

@testable import WeightFiles

@Suite("Quantised tensors of a file")
struct QuantizedTensorTests {
    private let folder: Fixture.TemporaryFolder

    init() throws { folder = try Fixture.TemporaryFolder() }

    /// A file with the codes and ranges of one tensor [2, 3] at 8 bits in groups of 2, and the metadata given.
    private func file(_ metadata: String?, more: [TensorToWrite] = []) throws -> SafetensorsFile {
        let path = folder.path + "/x.safetensors"
        try [UInt8](repeating: 7, count: 6).withUnsafeBytes { codes in
            try SafetensorsWriter.write(
                [
                    TensorToWrite(name: "w.codes", elementType: .uint8, shape: [2, 3], bytes: codes),
                    TensorToWrite(name: "w.ranges", shape: [2, 2, 2], values: [0, 1, 0, 1, 0, 1, 0, 1]),
                ] + more, metadata: metadata.map { [QuantizedTensor.metadataKey: $0] } ?? [:], to: path)
        }
        return try SafetensorsFile(path: path)
    }

    @Test("are found by what the writer says of them")
    func roundTrip() throws {
        let tensor = QuantizedTensor(name: "w", elementType: .bfloat16, shape: [2, 3], bits: 8, group: 2)
        #expect(try QuantizedTensor.all(of: file(QuantizedTensor.metadata([tensor]))) == [tensor])
        #expect(try QuantizedTensor.all(of: file(nil)).isEmpty)
    }

    @Test(
        "are refused where anything does not fit",
        arguments: [
            "", "[]", "{}", #"{"version":2,"tensors":{}}"#, #"{"version":1,"tensors":{"w":{}}}"#,
            #"{"version":1,"tensors":{"v":{"dtype":"F32","shape":[2,3],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"I64","shape":[2,3],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[3,2],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":0,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":17,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":9,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":8,"group":3}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":8,"group":0}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":8,"group":-1}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,-3],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,9223372036854775807],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[0,9223372036854775807],"bits":8,"group":2}}}"#,
            #"{"version":1,"tensors":{"w":{"dtype":"F32","shape":[2,3],"bits":8,"group":9223372036854775807}}}"#,
        ])
    func refusals(metadata: String) throws {
        let file = try file(metadata)
        #expect(throws: WeightFileError.self) { try QuantizedTensor.all(of: file) }
    }

    @Test("are refused beside a tensor of their name")
    func twice() throws {
        let tensor = QuantizedTensor(name: "w", elementType: .float32, shape: [2, 3], bits: 8, group: 2)
        let file = try file(
            QuantizedTensor.metadata([tensor]), more: [TensorToWrite(name: "w", shape: [1], values: [1])])
        #expect(throws: WeightFileError.self) { try QuantizedTensor.all(of: file) }
    }
}
