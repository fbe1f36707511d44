public import LinearAlgebra
public import NeuralNetwork
import Randomness

/// A network together with what it learns from, as the trainer sees it: parameters in rows, and a local pass.
public protocol TrainableNetwork: AnyObject {
    /// Where each trained parameter lies.
    var layout: ParameterLayout { get }

    /// The replica of the trained parameters, in the layout's order: [1, elements].
    var parameters: Matrix { get }

    /// Training samples; the batches are cut from permutations of their indices. Nil where samples are drawn without end:
    /// then every batch has the next ones.
    var sampleCount: Int? { get }

    /// What a step's time depends on, for the metrics: the tokens of these samples, or their number where a sample has no
    /// length.
    func tokenCount(of samples: [Int]) -> Int

    /// Forward and backward of some lanes of a global batch: what one process does of a step before it talks to the others.
    ///
    /// Lane l of L holds the slots from ⌊l·B/L⌋ to before ⌊(l+1)·B/L⌋.
    ///
    /// - Parameters:
    ///   - samples: the index of the sample in each slot of the whole global batch.
    ///   - lanes: those to compute, at least one.
    ///   - gradients: of these lanes; set. They are those of the mean loss over the global batch.
    /// - Returns: for each of the lanes, the sum of the losses of its samples.
    func computeGradients(
        samples: [Int], lanes: Range<Int>, tree: LaneTree, pass: Pass, gradients: LaneGradients
    ) -> [Double]

    /// Removes triplets from the layout and from everything that is computed: `layout` and `parameters` are others
    /// afterwards, with the values of what stays.
    ///
    /// - Parameter mask: of all triplets, in the order of rows; those that are false go.
    func removeTriplets(keeping mask: [Bool])
}

extension TrainableNetwork {
    /// The blocks of triplets, in order; they come before all others.
    public var tripletBlocks: [ParameterLayout.Block] { layout.blocks.filter(\.isTriplets) }

    /// Triplets of all modules.
    public var tripletCount: Int { tripletBlocks.last?.rows.upperBound ?? 0 }

    /// The order in which a run takes the training samples.
    func sampleOrder(_ configuration: TrainingConfiguration) -> SampleOrder {
        SampleOrder(
            sampleCount: sampleCount ?? .max, seed: UInt64(configuration.seed),
            shuffles: configuration.data.shuffle && sampleCount != nil)
    }

    public func tokenCount(of samples: [Int]) -> Int { samples.count }
}
