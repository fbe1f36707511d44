/// Where each trained parameter lies in one flat array of floats, in rows.
///
/// A row is the unit of ownership: it is reduced to, updated by, and checkpointed by one process. A triplet is one row
/// `[P_i | λ_i | Q_i]`; a dense matrix has its own rows; a vector is one row.
public struct ParameterLayout: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Rows `[P_i (outputs) | λ_i (1) | Q_i (inputs)]` of an adapted linear layer.
        case triplets(outputs: Int, inputs: Int)
        /// Rows of an ordinary matrix.
        case dense
        /// A vector, such as a bias: one row.
        case vector

        var isDense: Bool { self == .dense || self == .vector }
    }

    public struct Block: Sendable, Equatable {
        /// The module's path for triplets, the tensor's name for dense parameters.
        public let name: String
        /// Where the block stands in the network: once, or, where modules share triplets, at each of their paths, that of
        /// `name` first. A backward pass gives a gradient for every use, and the block's is their sum.
        public let uses: [String]
        public let kind: Kind
        /// Elements of one row.
        public let rowWidth: Int
        /// The block's rows, among the rows of all blocks.
        public let rows: Range<Int>
        /// The block's elements, among the elements of all blocks.
        public let elements: Range<Int>

        /// The shape of a dense block's tensor.
        public let shape: [Int]

        /// The elements of one of its rows, among the elements of all blocks.
        public func elements(ofRow row: Int) -> Range<Int> {
            let start = elements.lowerBound + (row - rows.lowerBound) * rowWidth
            return start..<start + rowWidth
        }
    }

    public private(set) var blocks: [Block] = []

    public var rowCount: Int { blocks.last?.rows.upperBound ?? 0 }
    public var elementCount: Int { blocks.last?.elements.upperBound ?? 0 }

    public init() {}

    /// Appends the triplets of an adapted linear layer.
    ///
    /// - Parameter sharers: the paths of further layers of this shape that use the same triplets.
    @discardableResult
    public mutating func appendTriplets(
        name: String, sharers: [String] = [], count: Int, outputs: Int, inputs: Int
    ) -> Block {
        append(
            name: name, sharers: sharers, kind: .triplets(outputs: outputs, inputs: inputs), rows: count,
            width: outputs + 1 + inputs)
    }

    /// Appends a dense matrix of `rows` × `columns`.
    ///
    /// - Parameter shape: of the tensor that it is, if that has more dimensions.
    @discardableResult
    public mutating func appendDense(name: String, rows: Int, columns: Int, shape: [Int]? = nil) -> Block {
        append(name: name, kind: .dense, rows: rows, width: columns, shape: shape)
    }

    /// Appends a vector.
    @discardableResult
    public mutating func appendVector(name: String, count: Int) -> Block {
        append(name: name, kind: .vector, rows: 1, width: count)
    }

    /// Has tensors train where this layout has blocks of their names; all others stay as they are.
    ///
    /// - Parameter parameters: of this layout; whoever owns them must outlive the tensors.
    public func train(_ tensors: [NetworkTensor], in parameters: UnsafeMutablePointer<Float>) {
        let named = Dictionary(blocks.filter { $0.kind.isDense }.map { ($0.name, $0) }) { first, _ in first }
        for tensor in tensors {
            if let block = named[tensor.name] { tensor.train(block, in: parameters) }
        }
    }

    private mutating func append(
        name: String, sharers: [String] = [], kind: Kind, rows: Int, width: Int, shape: [Int]? = nil
    ) -> Block {
        let block = Block(
            name: name, uses: [name] + sharers, kind: kind, rowWidth: width, rows: rowCount..<rowCount + rows,
            elements: elementCount..<elementCount + rows * width,
            shape: shape ?? (kind == .vector ? [width] : [rows, width]))
        blocks.append(block)
        return block
    }
}
