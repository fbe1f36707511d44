/// A random order of `0..<count`, a function of the seed and the epoch.
///
/// The method is Fisher's and Yates's (Durstenfeld, *Algorithm 235*, 1964), with bounded integers without bias (Lemire,
/// *Fast random integer generation in an interval*, 2019) from 64-bit draws. Every order is as likely as any other, up
/// to the 2^64 seeds.
///
/// - Parameters:
///   - count: the number of indices; a negative one counts as 0.
///   - seed: the seed of the run.
///   - epoch: the number of the pass over the data, modulo 2^32.
public func permutation(count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var order = Array(0..<max(count, 0))
    var draws = Draws(stream: RandomStream(seed: seed, purpose: .shuffle, step: epoch))
    for last in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(last, draws.next(below: last + 1))
    }
    return order
}

/// 64-bit integers drawn from a stream one after another.
private struct Draws {
    let stream: RandomStream
    var position: UInt32 = 0
    var spare: UInt64?

    init(stream: RandomStream) {
        self.stream = stream
    }

    mutating func next() -> UInt64 {
        if let word = spare {
            spare = nil
            return word
        }
        let block = stream.block(position)
        position &+= 1
        spare = UInt64(block.w) << 32 | UInt64(block.z)
        return UInt64(block.y) << 32 | UInt64(block.x)
    }

    /// A uniform integer from `0..<bound`, where `bound` is positive.
    mutating func next(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            // The 2^64 mod bound smallest remainders come once too often.
            let threshold = (0 &- bound) % bound
            while product.low < threshold {
                product = next().multipliedFullWidth(by: bound)
            }
        }
        return Int(product.high)
    }
}

/// The endless stream of sample indices that a run's batches are cut from: epoch after epoch without gaps, so that no
/// sample is dropped.
///
/// The index at a position is a function of (sample count, seed, position); asking in another order, or from the middle
/// after a restart, gives the same. The current epoch's permutation is kept.
public struct SampleOrder: Sendable {
    private let sampleCount: Int
    private let seed: UInt64
    private let shuffles: Bool
    private var current: (epoch: Int, order: [Int])?

    /// The stream for a data set.
    ///
    /// - Parameters:
    ///   - sampleCount: the number of samples.
    ///   - seed: the seed of the run.
    ///   - shuffles: whether each epoch has an order of its own; if not, all have that of the data set.
    public init(sampleCount: Int, seed: UInt64, shuffles: Bool) {
        self.sampleCount = sampleCount
        self.seed = seed
        self.shuffles = shuffles
    }

    /// The sample indices at the positions from `position` on.
    ///
    /// - Parameters:
    ///   - position: how many samples the run has taken before.
    ///   - count: how many to take; may be more than an epoch has.
    /// - Returns: `count` indices in `0..<sampleCount`; none if there are no samples, or if `position` or `count` is
    ///   negative.
    public mutating func indices(from position: Int, count: Int) -> [Int] {
        guard sampleCount > 0, position >= 0, count > 0 else { return [] }
        var indices: [Int] = []
        indices.reserveCapacity(count)
        var (epoch, offset) = position.quotientAndRemainder(dividingBy: sampleCount)
        while indices.count < count {
            let end = offset + min(count - indices.count, sampleCount - offset)
            if shuffles {
                indices += order(of: epoch)[offset..<end]
            } else {
                indices += offset..<end
            }
            epoch &+= 1
            offset = 0
        }
        return indices
    }

    private mutating func order(of epoch: Int) -> [Int] {
        if let current, current.epoch == epoch { return current.order }
        let order = permutation(count: sampleCount, seed: seed, epoch: epoch)
        current = (epoch, order)
        return order
    }
}
