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

    var byteCount: Int { elementType.requiredByteCount(of: shape) }
}

/// The bytes of one tensor.
public enum TensorBytes {
    case borrowed(UnsafeRawBufferPointer)
    case floats([Float])
    case doubles([Double])
    case bytes([UInt8])
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
        let layout = try SafetensorsLayout(
            tensors.map { .init(name: $0.name, elementType: $0.elementType, shape: $0.shape) }, metadata: metadata)
        let ordered = tensors.sorted { layout.precedes($0.name, $1.name) }
        try DurableFile.write(to: path) { write in
            try layout.header.withUnsafeBytes { try write($0) }
            for tensor in ordered {
                func checked(_ bytes: UnsafeRawBufferPointer) throws {
                    precondition(bytes.count == tensor.byteCount, "as many bytes as the shape says")
                    try write(bytes)
                }
                switch try tensor.bytes() {
                case .borrowed(let bytes): try checked(bytes)
                case .floats(let values): try values.withUnsafeBytes(checked)
                case .doubles(let values): try values.withUnsafeBytes(checked)
                case .bytes(let values): try values.withUnsafeBytes(checked)
                }
            }
        }
    }
}
