internal import LinearAlgebra

/// One tensor of a network: what the network computes with, and where its values lie once they are there.
///
/// A description makes its tensors before anyone knows where their values are: in a file's mapped memory, in codes, or among
/// the trained parameters. Layers ask for the values when they compute, so that these may move between two passes.
public final class NetworkTensor {
    /// Dotted name, as Hugging Face writes it.
    public let name: String
    public let shape: [Int]
    /// Where it lies among the trained parameters; nil for a tensor that stays as it is.
    public private(set) var block: ParameterLayout.Block?
    /// Operations whose backward passes each give a part of its gradient.
    var readers = 0

    private enum Storage {
        case values(UnsafePointer<Float>)
        case codes(QuantizedRows)
    }

    private var storage: Storage?
    /// Of the memory that the values lie in.
    private var owner: AnyObject?

    /// A tensor whose values are still to be found.
    public init(name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    /// A tensor whose values lie where they stay.
    ///
    /// - Parameters:
    ///   - values: live as long as the tensor.
    ///   - block: where they lie among the trained parameters, if they do.
    public convenience init(
        name: String = "", shape: [Int] = [], values: UnsafePointer<Float>, block: ParameterLayout.Block? = nil
    ) {
        self.init(name: name, shape: shape)
        storage = .values(values)
        self.block = block
    }

    /// A matrix that stays as it is.
    convenience init(name: String, matrix: FrozenMatrix) {
        self.init(name: name, shape: [matrix.rows, matrix.columns])
        switch matrix {
        case .plain(let view): storage = .values(view.base)
        case .quantized(let codes): storage = .codes(codes)
        }
    }

    /// Whether it has values.
    public var isSet: Bool { storage != nil }

    public var elementCount: Int { shape.reduce(1, *) }

    /// Its values, row-major. Only of a tensor that has some, in the clear.
    public var values: UnsafePointer<Float> {
        guard case .values(let values) = storage else { preconditionFailure("'\(name)' has no values") }
        return values
    }

    /// A matrix, [rows, all other dimensions], in whatever form it is held.
    public var matrix: FrozenMatrix {
        if case .codes(let codes) = storage { return .quantized(codes) }
        let rows = shape.first ?? 1
        return .plain(MatrixView(base: values, rows: rows, columns: elementCount / max(rows, 1)))
    }

    /// Takes values that are not trained.
    ///
    /// - Parameter owner: of their memory; nil where that outlives the tensor anyhow.
    public func set(_ values: UnsafePointer<Float>, owner: AnyObject?) {
        (storage, block, self.owner) = (.values(values), nil, owner)
    }

    /// Takes the codes of a matrix that is not trained.
    public func set(_ codes: QuantizedRows, owner: AnyObject?) {
        (storage, block, self.owner) = (.codes(codes), nil, owner)
    }

    /// Lies among the trained parameters from now on.
    ///
    /// - Parameter parameters: of the block's layout; whoever owns them must outlive the tensor.
    public func train(_ block: ParameterLayout.Block, in parameters: UnsafeMutablePointer<Float>) {
        precondition(block.elements.count == elementCount)
        (storage, self.block, owner) = (.values(UnsafePointer(parameters + block.elements.lowerBound)), block, nil)
    }

    /// Has the tensor's gradient written, where it is trained.
    ///
    /// - Parameters:
    ///   - gradients: of one lane.
    ///   - write: writes all elements.
    func setGradient(in gradients: LaneGradients, _ write: (UnsafeMutablePointer<Float>) -> Void) {
        setGradients(in: gradients) { write($1) }
    }

    /// Has the tensor's gradient written for every lane, where it is trained.
    ///
    /// - Parameter write: writes all elements of the gradient of one of the batch's lanes.
    func setGradients(
        in gradients: LaneGradients, _ write: (_ lane: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
    ) {
        if let block { gradients.set(block, parts: max(readers, 1), laneGradient: write) }
    }
}
