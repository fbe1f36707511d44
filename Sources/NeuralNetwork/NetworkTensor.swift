/// The values of one tensor of a network, and where it lies among the trained parameters if it is trained.
public struct NetworkTensor {
    public let values: UnsafePointer<Float>
    /// Nil for a tensor that stays as it is.
    public let block: ParameterLayout.Block?

    public init(values: UnsafePointer<Float>, block: ParameterLayout.Block?) {
        self.values = values
        self.block = block
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
        if let block { gradients.set(block, laneGradient: write) }
    }
}
