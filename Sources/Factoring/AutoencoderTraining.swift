import Diagnostics
public import Factorization
import LinearAlgebra
public import MessagePassing
import NeuralNetwork
import Randomness
import Training

/// How a linear autoencoder is trained.
public struct AutoencoderSettings: Sendable {
    public var seed: UInt64
    public var steps: Int
    /// Rows of a batch; nil takes all rows, up to 1024.
    public var batchSize: Int?
    /// The highest rate, of numbers of the size 1/√columns; nil takes 0.1/√columns.
    public var learningRate: Double?
    /// Parts of a batch whose gradients are summed apart: as many processes may take part.
    public var lanes = 8

    public init(seed: UInt64 = 0, steps: Int = 2_000, batchSize: Int? = nil, learningRate: Double? = nil) {
        self.seed = seed
        self.steps = steps
        self.batchSize = batchSize
        self.learningRate = learningRate
    }
}

/// `M ≈ A·B` with A = M·C and B = D of a linear autoencoder `M ≈ M·C·D`, trained by AdamW on batches of rows across the
/// processes. Collective; the same bytes for any number of processes.
///
/// The rate rises over a twentieth of the steps and falls smoothly to 0, as 3r² − 2r³ of the share r that is left. C and D start from one orthonormal basis.
///
/// - Parameter progress: is told the step and the loss as a share of ‖M‖²_F, on every process.
/// - Throws: ``FactoringError`` for settings that do not fit, and for a training that diverges.
public func autoencoderFactors(
    of matrix: ShardedMatrix, rank: Int, settings: AutoencoderSettings, _ communicator: borrowing Communicator,
    progress: (_ step: Int, _ loss: Double) -> Void
) throws -> Factors {
    try RankChoice.rank(rank).validate(rows: matrix.rows, columns: matrix.columns)
    let batchSize = settings.batchSize ?? min(matrix.rows, 1_024)
    guard batchSize >= 1, batchSize <= matrix.rows, settings.steps >= 1 else {
        throw FactoringError(
            .usage,
            "\(settings.steps) steps of \(batchSize) rows; expected one step at least, of 1 to \(matrix.rows) rows")
    }
    let tree = LaneTree(laneCount: min(settings.lanes, batchSize))
    guard communicator.processCount <= tree.laneCount else {
        throw FactoringError(
            .usage,
            "\(communicator.processCount) processes for \(tree.laneCount) lanes of a batch of \(batchSize) rows; "
                + "start fewer processes")
    }
    let norm = matrix.matrix.sumOfSquares
    guard norm > 0 else { throw FactoringError(.badData, "all numbers are 0; there is nothing to learn") }
    let training = try AutoencoderTraining(
        matrix, scale: (Double(matrix.rows) / norm).squareRoot(), rank: rank, settings: settings,
        batchSize: batchSize, tree: tree, communicator)
    let interval = max(settings.steps / 10, 1)
    for step in 0..<settings.steps {
        let losses = try training.takeStep(step, communicator)
        guard (step + 1) % interval == 0 || step + 1 == settings.steps else { continue }
        let loss = tree.total(try communicator.allGathered(varying: losses).elements) / Double(batchSize)
        guard loss.isFinite else {
            throw FactoringError(
                .computation, "the autoencoder's loss is \(loss) at step \(step + 1); lower --learning-rate")
        }
        progress(step + 1, loss)
    }
    return try training.factors(of: matrix)
}

/// The state of one process.
private final class AutoencoderTraining {
    private let autoencoder: LinearAutoencoder
    private let rows: Matrix  // [rows of M, columns], of mean squared norm 1
    private let settings: AutoencoderSettings
    private let batchSize: Int
    private let learningRate: Double
    private let tree: LaneTree
    private let lanes: Range<Int>
    private let gradients: LaneGradients
    private let partition: ParameterPartition
    private let reduction: GradientReduction
    private let own: Range<Int>
    private let moments: (first: Matrix, second: Matrix)
    private var order: SampleOrder
    private let optimizer = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)

    init(
        _ matrix: ShardedMatrix, scale: Double, rank: Int, settings: AutoencoderSettings, batchSize: Int,
        tree: LaneTree, _ communicator: borrowing Communicator
    ) throws {
        let autoencoder = LinearAutoencoder(inputs: matrix.columns, rank: rank)
        rows = Matrix(rows: matrix.rows, columns: matrix.columns)
        for index in 0..<matrix.matrix.count { rows.pointer[index] = Float(matrix.matrix.pointer[index] * scale) }
        let source = NormalSource(seed: settings.seed)
        let start = DoubleMatrix(rows: matrix.columns, columns: rank)
        for index in 0..<start.count { start.pointer[index] = source.value(tensor: 0, index: index) }
        let basis = try orthonormalBasis(of: start)
        let (encoder, decoder) = (autoencoder.encoderView, autoencoder.decoderView)
        for input in 0..<matrix.columns {
            for code in 0..<rank {
                encoder.row(input)[code] = Float(basis[input, code])
                decoder.row(code)[input] = Float(basis[input, code])
            }
        }
        self.autoencoder = autoencoder
        self.settings = settings
        self.batchSize = batchSize
        learningRate = settings.learningRate ?? 0.1 / Double(matrix.columns).squareRoot()
        self.tree = tree
        lanes = tree.lanes(ofProcess: communicator.processIndex, of: communicator.processCount)
        gradients = LaneGradients(tree: tree, lanes: lanes, layout: autoencoder.layout)
        partition = ParameterPartition(layout: autoencoder.layout, processCount: communicator.processCount)
        reduction = try GradientReduction(
            tree: tree, partition: partition, processIndex: communicator.processIndex)
        own = partition.elements[communicator.processIndex]
        moments = (Matrix(rows: 1, columns: own.count), Matrix(rows: 1, columns: own.count))
        order = SampleOrder(sampleCount: matrix.rows, seed: settings.seed, shuffles: true)
    }

    /// - Returns: ‖E‖² of each lane of this process.
    func takeStep(_ step: Int, _ communicator: borrowing Communicator) throws -> [Double] {
        let batch = order.indices(from: step * batchSize, count: batchSize)
        let inputs = lanes.map { lane in
            let members = batch[lane * batchSize / tree.laneCount..<(lane + 1) * batchSize / tree.laneCount]
            let input = Matrix(rows: members.count, columns: rows.columns)
            for (offset, member) in members.enumerated() {
                (input.pointer + offset * rows.columns).update(from: rows.view.rowStart(member), count: rows.columns)
            }
            return input
        }
        let losses = autoencoder.computeGradients(inputs, batchSize: batchSize, gradients: gradients)
        let gradient = try reduction.reduce(gradients, communicator)
        optimizer.update(step: step, learningRate: rate(at: step), gradientFactor: 1).apply(
            to: autoencoder.parameters.pointer + own.lowerBound, gradient: gradient,
            firstMoment: moments.first.pointer, secondMoment: moments.second.pointer, count: own.count)
        try communicator.allGatherInPlace(
            UnsafeMutableBufferPointer(
                start: autoencoder.parameters.pointer, count: autoencoder.layout.elementCount),
            counts: partition.elements.map(\.count))
        return losses
    }

    private func rate(at step: Int) -> Double {
        let warmUp = max(Double(settings.steps) / 20, 1)
        let rest = 1 - Double(step) / Double(settings.steps)
        return learningRate * min(1, Double(step + 1) / warmUp) * rest * rest * (3 - 2 * rest)
    }

    func factors(of matrix: ShardedMatrix) throws -> Factors {
        let encoder = DoubleMatrix(rows: autoencoder.inputs, columns: autoencoder.rank)
        let decoder = DoubleMatrix(rows: autoencoder.rank, columns: autoencoder.inputs)
        let (c, d) = (autoencoder.encoderView.base, autoencoder.decoderView.base)
        for index in 0..<encoder.count { encoder.pointer[index] = Double(c[index]) }
        for index in 0..<decoder.count { decoder.pointer[index] = Double(d[index]) }
        return Factors(left: try matrix.times(encoder), right: decoder, singularValues: [])
    }
}
