import Diagnostics

/// A tensor of a file: its name, type and shape.
public struct TensorDescription: Sendable, Equatable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]
    /// Bytes within the file.
    let range: Range<Int>

    /// Elements.
    public var count: Int { shape.reduce(1, *) }

    /// Bytes of all elements.
    public var byteCount: Int { range.count }
}

/// A safetensors file, mapped into memory and checked as strictly as the format's own library does it: the header is well
/// formed, every tensor's bytes are where and as many as its shape says, and together they cover the file without overlap
/// or hole.
public final class SafetensorsFile: Sendable {
    /// A header may be this long, in bytes, as in the format's own library.
    public static let longestHeader = 100_000_000

    public let path: String
    public let metadata: [String: String]
    /// In the order of their bytes.
    public let tensorNames: [String]
    /// Bytes of the whole file.
    public var byteCount: Int { file.bytes.count }
    private let tensors: [String: TensorDescription]
    private let file: MappedFile

    public init(path: String) throws(SafetensorsError) {
        let file = try MappedFile(path: path)
        let bytes = file.bytes
        guard bytes.count >= 8 else {
            throw SafetensorsError(
                .badData,
                "\(path): \(bytes.count) bytes, expected at least 8; the file is truncated or no safetensors file")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(Self.longestHeader) else {
            throw SafetensorsError(
                .badData,
                "\(path): a header of \(length) bytes, expected at most \(Self.longestHeader); is this a safetensors file?"
            )
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw SafetensorsError(
                .badData, "\(path): a header of \(length) bytes in a file of \(bytes.count); the file is truncated")
        }
        let parser: HeaderParser
        do throws(HeaderParser.Failure) {
            parser = try HeaderParser(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
        } catch {
            throw SafetensorsError(
                .badData, "\(path): header, byte \(error.offset): \(error.reason); the file is damaged")
        }
        var tensors: [String: TensorDescription] = [:]
        for (name, entry) in parser.entries {
            tensors[name] = try Self.tensor(name, entry, dataStart: dataStart, path: path)
        }
        let ordered = tensors.values.sorted {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        var end = dataStart
        for tensor in ordered {
            guard tensor.range.lowerBound == end else {
                throw SafetensorsError(
                    .badData,
                    "\(path): tensor '\(tensor.name)' starts at byte \(tensor.range.lowerBound - dataStart) of the data, expected "
                        + "\(end - dataStart); tensors \(tensor.range.lowerBound < end ? "overlap" : "leave a hole")")
            }
            end = tensor.range.upperBound
        }
        guard end == bytes.count else {
            throw SafetensorsError(
                .badData,
                "\(path): tensors end at byte \(end), the file at \(bytes.count); the file is "
                    + (end > bytes.count ? "truncated" : "longer than its header says"))
        }
        self.path = path
        self.file = file
        self.tensors = tensors
        metadata = parser.metadata
        tensorNames = ordered.map(\.name)
    }

    /// Gives the memory of the mapped pages back to the system; what is read again comes from the file again.
    public func releasePages() { file.releasePages() }

    private static func tensor(
        _ name: String, _ entry: HeaderParser.Entry, dataStart: Int, path: String
    ) throws(SafetensorsError) -> TensorDescription {
        guard let dtype = entry.dtype, let shape = entry.shape, let offsets = entry.offsets, offsets.count == 2 else {
            throw SafetensorsError(
                .badData, "\(path): tensor '\(name)' lacks dtype, shape or two data_offsets; the file is damaged")
        }
        guard let type = ElementType(rawValue: dtype) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw SafetensorsError(.badData, "\(path): tensor '\(name)' has dtype '\(dtype)', expected one of \(known)")
        }
        let size = type.byteCount(of: shape)
        guard let size, offsets[0] <= offsets[1], offsets[1] <= Int.max - dataStart, offsets[1] - offsets[0] == size
        else {
            throw SafetensorsError(
                .badData,
                "\(path): tensor '\(name)' of shape \(shape) and dtype \(dtype) has data_offsets \(offsets), expected "
                    + "\(size.map { "\($0) bytes" } ?? "a shape that can be counted, in whole bytes"); the file is damaged"
            )
        }
        return TensorDescription(
            name: name, elementType: type, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    /// The tensor of a name, if the file has it.
    public func tensor(named name: String) -> TensorDescription? { tensors[name] }

    /// A tensor's bytes, valid as long as this object lives.
    public func bytes(of tensor: TensorDescription) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
    }

    /// A float32 tensor's elements where they lie in the mapped file, valid as long as this object lives.
    ///
    /// - Returns: nil if the tensor must be converted, or does not lie where a float can be read.
    /// - Throws: if the tensor is missing or has another shape.
    public func mappedFloats(
        of name: String, shape: [Int]
    ) throws(SafetensorsError) -> UnsafeBufferPointer<Float>? {
        let tensor = try tensor(name, shape: shape)
        let bytes = bytes(of: tensor)
        guard tensor.elementType == .float32, let base = bytes.baseAddress,
            UInt(bitPattern: base) % UInt(MemoryLayout<Float>.alignment) == 0
        else { return nil }
        return UnsafeBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: bytes.count / 4)
    }

    /// A tensor's elements in single precision, converted from any floating-point type.
    ///
    /// - Throws: if the tensor is missing, has another shape or is not of floating point.
    public func floats(of name: String, shape: [Int]) throws(SafetensorsError) -> [Float] {
        let tensor = try tensor(name, shape: shape)
        return try floats(of: tensor, elements: 0..<tensor.count)
    }

    /// Some elements of a tensor of this file, in single precision, converted from any floating-point type.
    ///
    /// - Parameter elements: in row-major order, within the tensor.
    /// - Throws: if the tensor is not of floating point.
    public func floats(of tensor: TensorDescription, elements: Range<Int>) throws(SafetensorsError) -> [Float] {
        precondition(elements.lowerBound >= 0 && elements.upperBound <= tensor.count)
        guard tensor.elementType.isConvertible else {
            throw SafetensorsError(
                .badData,
                "\(path): tensor '\(tensor.name)' has dtype \(tensor.elementType.rawValue), expected F32, F16, BF16 or F64"
            )
        }
        let size = tensor.elementType.size
        let bytes = UnsafeRawBufferPointer(
            rebasing: self.bytes(of: tensor)[elements.lowerBound * size..<elements.upperBound * size])
        return FloatBits.floats(from: bytes, of: tensor.elementType)
    }

    /// A tensor's elements in double precision, exactly, from any floating-point type.
    ///
    /// - Throws: if the tensor is missing, has another shape or is not of floating point.
    public func doubles(of name: String, shape: [Int]) throws(SafetensorsError) -> [Double] {
        let tensor = try tensor(name, shape: shape)
        guard tensor.elementType == .float64 else { return try floats(of: name, shape: shape).map(Double.init) }
        let bytes = bytes(of: tensor)
        return (0..<bytes.count / 8).map {
            Double(bitPattern: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
        }
    }

    private func tensor(_ name: String, shape: [Int]) throws(SafetensorsError) -> TensorDescription {
        guard let tensor = tensors[name] else {
            throw SafetensorsError(
                .badData,
                "\(path): no tensor '\(name)'; the file has \(tensors.count) others"
                    + (tensorNames.first.map { ", for instance '\($0)'" } ?? ""))
        }
        guard tensor.shape == shape else {
            throw SafetensorsError(
                .badData, "\(path): tensor '\(name)' has shape \(tensor.shape), expected \(shape)")
        }
        return tensor
    }
}
