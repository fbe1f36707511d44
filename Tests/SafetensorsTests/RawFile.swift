import FixtureFiles
import Foundation

/// A safetensors file of chosen bytes, so that a test can write what the writer never would.
struct RawFile {
    let folder: Fixture.TemporaryFolder
    var path: String { folder.path + "/raw.safetensors" }

    init(bytes: Data) throws {
        folder = try Fixture.TemporaryFolder()
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    /// A header with its true length, then the data.
    init(header: String, data: [UInt8] = []) throws {
        try self.init(header: Array(header.utf8), data: data)
    }

    init(header: [UInt8], data: [UInt8] = []) throws {
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        try self.init(bytes: length + header + data)
    }

    /// One tensor `x` that covers all the data.
    init(dtype: String, shape: [Int], data: [UInt8], padding: Int = 0) throws {
        try self.init(
            header: #"{"x":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[0,\#(data.count)]}}"#
                + String(repeating: " ", count: padding), data: data)
    }
}

/// The bytes of numbers, little-endian, as the format has them.
func littleEndianBytes<Number: FixedWidthInteger>(_ numbers: some Sequence<Number>) -> [UInt8] {
    numbers.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
}
