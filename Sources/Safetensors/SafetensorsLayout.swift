import Foundation

/// Where everything goes in a safetensors file that is to be written.
public struct SafetensorsLayout: Sendable {
    /// A tensor of the file.
    public struct Entry: Sendable, Equatable {
        public let name: String
        public let elementType: ElementType
        public let shape: [Int]

        public init(name: String, elementType: ElementType, shape: [Int]) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }

        /// Bytes of all elements.
        public var byteCount: Int { elementType.requiredByteCount(of: shape) }
    }

    /// In the order of their bytes: by descending element size, then by name, as the format's own library orders them, so that
    /// every tensor is aligned.
    public let entries: [Entry]
    /// Bytes of the whole file.
    public let byteCount: Int
    /// What the file begins with: the header's length, and the header.
    let header: Data
    private let ranges: [String: Range<Int>]

    /// - Parameters:
    ///   - tensors: with different names and shapes whose bytes can be counted.
    ///   - metadata: keys and values of the header's `__metadata__`.
    public init(_ tensors: [Entry], metadata: [String: String]) throws {
        entries = tensors.sorted {
            $0.elementType.bits != $1.elementType.bits
                ? $0.elementType.bits > $1.elementType.bits : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        header = try Self.header(of: entries, metadata: metadata)
        var ranges: [String: Range<Int>] = [:]
        var end = header.count
        for entry in entries {
            ranges[entry.name] = end..<end + entry.byteCount
            end += entry.byteCount
        }
        self.ranges = ranges
        byteCount = end
    }

    /// A tensor's bytes within the file.
    ///
    /// - Precondition: it is one of the layout.
    public func range(of name: String) -> Range<Int> {
        guard let range = ranges[name] else { preconditionFailure("no tensor '\(name)' in the layout") }
        return range
    }

    /// Whether one tensor's bytes come before another's.
    func precedes(_ first: String, _ second: String) -> Bool {
        let (first, second) = (range(of: first), range(of: second))
        return (first.lowerBound, first.upperBound) < (second.lowerBound, second.upperBound)
    }

    private static func header(of tensors: [Entry], metadata: [String: String]) throws -> Data {
        struct Member: Encodable {
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
            let member = Member(dtype: tensor.elementType.rawValue, shape: tensor.shape, dataOffsets: [offset, end])
            members.append("\(try text(tensor.name)):\(try text(member))")
            offset = end
        }
        var json = Data("{\(members.joined(separator: ","))}".utf8)
        json += repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }
}
