/// Normally distributed values, each a function of (seed, purpose, tensor, index) alone.
///
/// Source: Box and Muller, *A note on the generation of random normal deviates* (1958). Elements 2j and 2j + 1 of a
/// tensor are
///
///     √(−2·ln u)·cos(2π·v)  and  √(−2·ln u)·sin(2π·v)     u = (a + 1)/2³², v = b/2³²
///
/// where a and b are words 2j and 2j + 1 of the tensor's ``RandomStream``. Values lie within ±6.67. They are computed
/// in `Double` by additions, multiplications, divisions and square roots, which IEEE 754 rounds in one way, and not by
/// a mathematical library: every machine gives the same bits.
public struct NormalSource: Sendable, Equatable {
    private let seed: UInt64
    private let purpose: Purpose

    /// The values of a run.
    ///
    /// - Parameters:
    ///   - seed: the seed of the run.
    ///   - purpose: what the values are for.
    public init(seed: UInt64, purpose: Purpose = .initialization) {
        self.seed = seed
        self.purpose = purpose
    }

    /// One value with mean 0 and standard deviation 1.
    ///
    /// - Parameters:
    ///   - tensor: the number of the tensor, modulo 2^24.
    ///   - index: the place of the element in the tensor, from 0.
    public func value(tensor: Int, index: Int) -> Double {
        let (even, odd) = pair(tensor: tensor, index: index >> 1)
        return index & 1 == 0 ? even : odd
    }

    /// Fills `buffer` with the values of the elements from `index` on, times `standardDeviation`, plus `mean`, rounded
    /// to `Float`.
    public func fill(
        _ buffer: UnsafeMutableBufferPointer<Float>, tensor: Int, from index: Int = 0, mean: Double = 0,
        standardDeviation: Double = 1
    ) {
        var offset = 0
        while offset < buffer.count {
            let place = index &+ offset
            let (even, odd) = pair(tensor: tensor, index: place >> 1)
            if place & 1 == 0 {
                buffer[offset] = Float(mean + standardDeviation * even)
                offset += 1
            }
            if offset < buffer.count {
                buffer[offset] = Float(mean + standardDeviation * odd)
                offset += 1
            }
        }
    }

    /// The values of `count` elements from `index` on, times `standardDeviation`, plus `mean`, rounded to `Float`.
    public func values(
        tensor: Int, from index: Int = 0, count: Int, mean: Double = 0, standardDeviation: Double = 1
    ) -> [Float] {
        var values = [Float](repeating: 0, count: max(count, 0))
        values.withUnsafeMutableBufferPointer {
            fill($0, tensor: tensor, from: index, mean: mean, standardDeviation: standardDeviation)
        }
        return values
    }

    /// Elements `2 * index` and `2 * index + 1`.
    private func pair(tensor: Int, index: Int) -> (Double, Double) {
        // A tensor of more than 2^34 elements goes on in the stream of the next sample number.
        let stream = RandomStream(seed: seed, purpose: purpose, sample: index >> 33, layer: tensor)
        let block = stream.block(UInt32(truncatingIfNeeded: index >> 1))
        let (a, b) = index & 1 == 0 ? (block.x, block.y) : (block.z, block.w)
        let radius = (-2 * naturalLogarithm(of: (Double(a) + 1) / 0x1p32)).squareRoot()
        let (cosine, sine) = cosineAndSine(ofTurns: b)
        return (radius * cosine, radius * sine)
    }
}
