internal import CKernels
internal import Foundation
internal import Randomness

/// The data of the superposition model (Liu, Liu and Gore, arXiv 2505.10465): of n features, each is active in a sample
/// independently of the others with probability p_i ∝ i^−α, Σp = 1, and then has a value from U(0, 2).
///
/// A sample is a function of (seed, split, index) alone. Only its active features are drawn, about one.
public struct SparseFeatures: Sendable {
    /// Samples to learn from and samples to measure with have nothing in common.
    public enum Split: Int, Sendable {
        case training = 0
        case evaluation = 1
    }

    /// p_i, falling.
    public let probabilities: [Double]
    /// Element i: the probability that none of the features before i is active; one more than there are features.
    private let survival: [Double]
    private let seed: UInt64

    public var count: Int { probabilities.count }

    /// - Parameters:
    ///   - count: n.
    ///   - exponent: α; 0 makes all features equally likely.
    /// - Precondition: `count` > 0 and `exponent` ≥ 0.
    public init(count: Int, exponent: Double, seed: UInt64) {
        precondition(count > 0 && exponent >= 0)
        let weights = (1...count).map { pow(Double($0), -exponent) }
        // Smallest first, which loses least.
        let total = weights.reversed().reduce(0, +)
        probabilities = weights.map { min($0 / total, 1) }
        survival = probabilities.reduce(into: [1.0]) { $0.append(($0.last ?? 1) * (1 - $1)) }
        self.seed = seed
    }

    /// What the loss is at best if of all features only the first `represented` are, and without error: an output that
    /// cannot tell x_i is best at its mean p_i, and leaves its variance, 4/3·p_i − p_i².
    public func loss(ofFeaturesFrom represented: Int) -> Double {
        probabilities.dropFirst(max(represented, 0)).reversed().reduce(0) { $0 + (4 / 3 * $1 - $1 * $1) }
    }

    /// The active features of a sample with their values.
    public func activeFeatures(ofSample index: Int, of split: Split) -> [(feature: Int, value: Float)] {
        let samples = SparseSamples()
        append(index, of: split, to: samples)
        return samples.active(in: 0)
    }

    /// Appends a sample.
    func append(_ index: Int, of split: Split, to samples: SparseSamples) {
        let stream = RandomStream(
            seed: seed, purpose: .samples, step: index >> 32, sample: index, layer: split.rawValue)
        let place = kernel_philox_place(
            key: (stream.key.x, stream.key.y), counter: (stream.counter.x, stream.counter.y, stream.counter.z))
        samples.append(room: count) { features, values in
            survival.withUnsafeBufferPointer { survival in
                survival.baseAddress.map { kernel_draw_features(place, $0, count, features, values) } ?? 0
            }
        }
    }
}

/// Samples of which most numbers are 0, one after another.
final class SparseSamples {
    private var starts: [Int32] = [0]
    private var features: [Int32] = []
    private var values: [Float] = []

    var count: Int { starts.count - 1 }

    func removeAll() {
        starts.removeSubrange(1...)
    }

    /// Appends one sample.
    ///
    /// - Parameters:
    ///   - room: active features that it has at most.
    ///   - write: writes them and their values, and returns how many there are.
    func append(room: Int, _ write: (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Float>) -> Int) {
        let start = Int(starts.last ?? 0)
        if features.count < start + room {
            let length = 2 * features.count + room
            features += [Int32](repeating: 0, count: length - features.count)
            values += [Float](repeating: 0, count: length - values.count)
        }
        let active = features.withUnsafeMutableBufferPointer { features in
            values.withUnsafeMutableBufferPointer { values in
                guard let features = features.baseAddress, let values = values.baseAddress else { return 0 }
                return write(features + start, values + start)
            }
        }
        starts.append(Int32(start + active))
    }

    /// The samples as the kernels read them.
    func withRows<Result>(_ body: (kernel_sparse_rows) -> Result) -> Result {
        starts.withUnsafeBufferPointer { starts in
            features.withUnsafeBufferPointer { features in
                values.withUnsafeBufferPointer { values in
                    body(
                        kernel_sparse_rows(
                            starts: starts.baseAddress, features: features.baseAddress, values: values.baseAddress,
                            rows: starts.count - 1))
                }
            }
        }
    }

    /// The active features of one sample with their values.
    func active(in sample: Int) -> [(feature: Int, value: Float)] {
        (Int(starts[sample])..<Int(starts[sample + 1])).map { (Int(features[$0]), values[$0]) }
    }
}
