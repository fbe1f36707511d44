/// Which rows a value has: one for each token, or one for each sample.
public struct RowSet: Hashable, Sendable {
    /// Its place among the batches that a network is given.
    public let index: Int
    /// The tokens of all sequences.
    public static let tokens = RowSet(index: 0)
    /// The samples, one row for each sequence.
    public static let samples = RowSet(index: 1)
    /// The distances of tokens that a lane's sequences have.
    public static let distances = RowSet(index: 2)
}

/// What an operation of a network gives: a matrix, [rows of the batch, columns].
public struct NetworkValue: Hashable, Sendable {
    let index: Int
}

/// What a network computes: operations in the order in which they run, each with the values that it reads.
///
/// Everything else follows from it (``Network``): the forward pass, which operations run backwards, which buffers there are,
/// and what lies in them when.
public final class NetworkDescription {
    struct Shape: Hashable {
        let rows: RowSet
        let columns: Int
    }

    struct Node {
        let operation: any Operation
        var inputs: [NetworkValue]
        let output: NetworkValue
    }

    private(set) var shapes: [Shape] = []
    private(set) var nodes: [Node] = []
    /// Linear layers whose reader adds the bias in its own pass, by what they give.
    private var unbiased: [NetworkValue: LinearOperation] = [:]

    public init() {}

    /// Appends an operation.
    ///
    /// - Parameters:
    ///   - inputs: what it reads.
    ///   - rows: those of what it gives; nil takes the first input's.
    ///   - columns: of what it gives.
    public func append(
        _ operation: any Operation, reading inputs: [NetworkValue] = [], rows: RowSet? = nil, columns: Int
    ) -> NetworkValue {
        let rows = rows ?? inputs.first.map { shapes[$0.index].rows } ?? .tokens
        let output = NetworkValue(index: shapes.count)
        shapes.append(Shape(rows: rows, columns: columns))
        nodes.append(Node(operation: operation, inputs: inputs, output: output))
        if let linear = operation as? LinearOperation { unbiased[output] = linear }
        return output
    }

    /// Columns of a value.
    public func columns(of value: NetworkValue) -> Int { shapes[value.index].columns }

    /// The layer whose product a value is, for an operation that adds its bias in its own pass over the rows. It must be the
    /// only one that reads the product.
    ///
    /// - Returns: nil where the value is no such product.
    func takeBias(of value: NetworkValue) -> AdaptedLinear? {
        guard let linear = unbiased.removeValue(forKey: value) else { return nil }
        return linear.leaveBiasToReader()
    }
}
