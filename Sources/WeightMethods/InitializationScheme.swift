import Randomness

/// How weights are drawn before training.
public enum InitializationScheme: Sendable, Equatable {
    /// N(0, standardDeviation²).
    case normal(standardDeviation: Double)
    /// N(0, 2/(inputs + outputs)): PyTorch's `xavier_normal_` (Glorot and Bengio 2010).
    case xavier
    /// N(0, 2/inputs): PyTorch's `kaiming_normal_` (He et al. 2015).
    case he

    /// The standard deviation for a tensor [outputs, inputs, …], where further dimensions are the places of a kernel and count
    /// to both, as in PyTorch.
    ///
    /// - Throws: ``WeightMethodError/badSetting(_:)`` where the scheme needs inputs and outputs and the tensor has fewer than two
    ///   dimensions or an empty one, and for a deviation that is not finite or is negative.
    public func standardDeviation(shape: [Int]) throws(WeightMethodError) -> Double {
        if case .normal(let deviation) = self {
            guard deviation.isFinite, deviation >= 0 else {
                throw .badSetting("the standard deviation is \(deviation), expected a finite number from 0")
            }
            return deviation
        }
        guard shape.count >= 2, !shape.contains(0) else {
            throw .badSetting("shape \(shape) has no inputs and outputs to derive a variance from, expected a matrix")
        }
        let places = shape.dropFirst(2).reduce(1.0) { $0 * Double($1) }
        let (inputs, outputs) = (Double(shape[1]) * places, Double(shape[0]) * places)
        return (2 / (self == .he ? inputs : inputs + outputs)).squareRoot()
    }

    /// Fills `values` with the elements from `index` on of a tensor. Each is a function of (seed, tensor, index) alone, the same
    /// whoever draws it.
    ///
    /// - Parameters:
    ///   - tensor: the number of the tensor, modulo 2^24.
    ///   - shape: of the whole tensor.
    /// - Throws: as ``standardDeviation(shape:)``.
    public func fill(
        _ values: UnsafeMutableBufferPointer<Float>, seed: UInt64, tensor: Int, from index: Int = 0, shape: [Int]
    ) throws(WeightMethodError) {
        NormalSource(seed: seed).fill(
            values, tensor: tensor, from: index, standardDeviation: try standardDeviation(shape: shape))
    }
}
