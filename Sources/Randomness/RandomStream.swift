/// What random numbers are drawn for. Numbers for one purpose never depend on those for another.
public enum Purpose: UInt8, Sendable {
    /// The order of the samples of an epoch.
    case shuffle = 1
    /// The values of parameters before the first step.
    case initialization = 2
    /// Which activations a step leaves out.
    case dropout = 3
    /// Samples that are drawn, not read.
    case samples = 4
    /// How an image is cropped and mirrored in a step.
    case augmentation = 8
}

/// A sequence of random words, each of which is a function of where it stands alone.
///
/// A word depends on (seed, purpose, step, sample, layer, position) and on nothing else: not on what was drawn before,
/// nor on which process draws it. Different places have different Philox inputs:
///
///     key     = seed                                                 (64 bits)
///     counter = (position / 4, sample, step, purpose · 2^24 + layer)  (32 bits each)
///
/// A stream has 2^34 words; step and sample count modulo 2^32, layer modulo 2^24.
public struct RandomStream: Sendable, Equatable {
    /// Philox's key: with ``counter``, all that a vectorised kernel needs to compute the same words.
    public let key: SIMD2<UInt32>
    private let sample, step, purposeAndLayer: UInt32

    /// The upper three words of Philox's counter; the lowest is the index of a block.
    public var counter: SIMD3<UInt32> { SIMD3(sample, step, purposeAndLayer) }

    /// The stream of a place in a run.
    ///
    /// - Parameters:
    ///   - seed: the seed of the run.
    ///   - purpose: what the numbers are for.
    ///   - step: the training step, or for shuffles the epoch.
    ///   - sample: the number of the sample within the step's global batch.
    ///   - layer: the number of the layer or tensor.
    public init(seed: UInt64, purpose: Purpose, step: Int = 0, sample: Int = 0, layer: Int = 0) {
        self.key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.sample = UInt32(truncatingIfNeeded: sample)
        self.step = UInt32(truncatingIfNeeded: step)
        self.purposeAndLayer = UInt32(purpose.rawValue) << 24 | UInt32(truncatingIfNeeded: layer) & 0xFF_FFFF
    }

    /// The four words from position `4 * index`.
    public func block(_ index: UInt32) -> SIMD4<UInt32> {
        Philox4x32.block(key: key, counter: SIMD4(index, sample, step, purposeAndLayer))
    }

    /// The word at `position`, which counts modulo 2^34.
    public func word(_ position: Int) -> UInt32 {
        block(UInt32(truncatingIfNeeded: position >> 2))[position & 3]
    }

    /// Fills `words` with the words from `position` on.
    public func fill(_ words: UnsafeMutableBufferPointer<UInt32>, from position: Int = 0) {
        var index = 0
        while index < words.count {
            let place = position &+ index
            if place & 3 == 0, words.count - index >= 4 {
                let block = block(UInt32(truncatingIfNeeded: place >> 2))
                words[index] = block.x
                words[index + 1] = block.y
                words[index + 2] = block.z
                words[index + 3] = block.w
                index += 4
            } else {
                words[index] = word(place)
                index += 1
            }
        }
    }
}
