internal import CKernels
internal import Randomness

/// How a batch goes through a network: whether it drops, and at which place of the random sequence.
public struct Pass: Sendable {
    /// The seed of the run.
    public let seed: UInt64
    /// The training step, counted from 0.
    public let step: Int
    /// Whether dropout is in force.
    public let isTraining: Bool

    /// A pass of training step `step`.
    public static func training(seed: UInt64, step: Int) -> Pass { Pass(seed: seed, step: step, isTraining: true) }

    /// A pass without dropout.
    public static let inference = Pass(seed: 0, step: 0, isTraining: false)
}

/// One place of a network where numbers are dropped, with its probability.
///
/// Which numbers fall is a function of (seed, step, site, slot of the sample, position, column): Philox4x32-10 with the
/// run's key and the counter (block, slot, step, site and purpose), eight 16-bit numbers to a block; a number below p·2¹⁶ drops.
public struct Dropout: Sendable {
    /// Distinguishes the places of a network; no two may have the same.
    public let site: UInt32
    /// Probability to be dropped, in [0, 1).
    public let probability: Double

    public init(site: UInt32, probability: Double) {
        precondition(probability >= 0 && probability < 1)
        self.site = site
        self.probability = probability
    }

    /// Whether anything is dropped in this pass.
    public func isActive(in pass: Pass) -> Bool { pass.isTraining && threshold > 0 }

    var threshold: UInt32 { UInt32((probability * 65_536).rounded()) }
    /// What the kept numbers are multiplied by: 1/(1 − p).
    public var keepScale: Float { Float(1 / (1 - probability)) }

    func place(slot: Int, in pass: Pass) -> kernel_philox_place {
        let stream = RandomStream(
            seed: pass.seed, purpose: .dropout, step: pass.step, sample: slot, layer: Int(site))
        return kernel_philox_place(
            key: (stream.key.x, stream.key.y), counter: (stream.counter.x, stream.counter.y, stream.counter.z))
    }

    /// Fills the mask of a matrix with one row for each token: 1 where a number is kept.
    func fill(_ mask: UnsafeMutablePointer<UInt8>, columns: Int, batch: PackedBatch, pass: Pass) {
        let blocksPerRow = UInt32((columns + 7) / 8)
        for sequence in batch.sequences {
            let place = place(slot: sequence.slot, in: pass)
            if columns % 8 == 0 {
                kernel_dropout_mask(
                    place, 0, threshold, mask + sequence.rows.lowerBound * columns, sequence.rows.count * columns)
                continue
            }
            for (position, row) in sequence.rows.enumerated() {
                kernel_dropout_mask(place, UInt32(position) * blocksPerRow, threshold, mask + row * columns, columns)
            }
        }
    }
}
