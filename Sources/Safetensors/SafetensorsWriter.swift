import Foundation

/// A tensor to be written; its bytes must outlive the call.
public struct TensorToWrite {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]
    /// Gives the bytes when their turn comes, so that no more than one tensor need be in memory.
    let bytes: () throws -> TensorBytes

    /// A tensor whose bytes lie in memory already.
    public init(name: String, elementType: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
        self.init(name: name, elementType: elementType, shape: shape) { .borrowed(bytes) }
    }

    /// A float32 tensor.
    public init(name: String, shape: [Int], values: [Float]) {
        self.init(name: name, elementType: .float32, shape: shape) { .floats(values) }
    }

    /// A tensor whose bytes are made when they are written.
    public init(
        name: String, elementType: ElementType, shape: [Int], making bytes: @escaping () throws -> TensorBytes
    ) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    var byteCount: Int { shape.reduce(elementType.size, *) }
}

/// The bytes of one tensor.
public enum TensorBytes {
    case borrowed(UnsafeRawBufferPointer)
    case floats([Float])
}

/// Writes safetensors files, the same bytes for the same tensors.
public enum SafetensorsWriter {
    /// Writes a file and waits until it is on the disk.
    ///
    /// - Parameters:
    ///   - tensors: with different names; written by descending element size, then by name, as the format's own library
    ///     orders them, so that every tensor is aligned.
    ///   - metadata: keys and values of the header's `__metadata__`.
    /// - Throws: ``SafetensorsError``, or what making a tensor's bytes throws.
    public static func write(_ tensors: [TensorToWrite], metadata: [String: String], to path: String) throws {
        let ordered = tensors.sorted {
            $0.elementType.size != $1.elementType.size
                ? $0.elementType.size > $1.elementType.size : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        let header = try header(of: ordered, metadata: metadata)
        try DurableFile.write(to: path) { write in
            try header.withUnsafeBytes { try write($0) }
            for tensor in ordered {
                func checked(_ bytes: UnsafeRawBufferPointer) throws {
                    precondition(bytes.count == tensor.byteCount, "as many bytes as the shape says")
                    try write(bytes)
                }
                switch try tensor.bytes() {
                case .borrowed(let bytes): try checked(bytes)
                case .floats(let values): try values.withUnsafeBytes(checked)
                }
            }
        }
    }

    private static func header(of tensors: [TensorToWrite], metadata: [String: String]) throws -> Data {
        struct Entry: Encodable {
            let dtype: String
            let shape: [Int]
            let dataOffsets: [Int]

            enum CodingKeys: String, CodingKey {
                case dtype, shape
                case dataOffsets = "data_offsets"
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        var members: [String] = []
        if !metadata.isEmpty { members.append("\"__metadata__\":\(try text(metadata))") }
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.byteCount
            let entry = Entry(dtype: tensor.elementType.rawValue, shape: tensor.shape, dataOffsets: [offset, end])
            members.append("\(try text(tensor.name)):\(try text(entry))")
            offset = end
        }
        var json = Data("{\(members.joined(separator: ","))}".utf8)
        json += repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }
}
