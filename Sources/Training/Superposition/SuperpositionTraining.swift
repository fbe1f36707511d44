import LinearAlgebra
public import Models
import NeuralNetwork
import WeightMethods

extension SuperpositionNetwork: TrainableNetwork {
    /// There are no triplets.
    public func removeTriplets(keeping mask: [Bool]) {}
}

/// Trains a superposition network on one process, on samples that are all new.
///
/// The batch is one lane, so that the result depends on nothing but the settings and the processor type.
final class SuperpositionTraining {
    let network: SuperpositionNetwork
    private(set) var step = 0
    private let batchSize: Int
    private let learningRate: LearningRate
    /// γ.
    private let decay: Double
    private let optimizer = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0)
    private let tree = LaneTree(laneCount: 1)
    private let gradients: LaneGradients
    private let firstMoment: Matrix
    private let secondMoment: Matrix

    init(_ settings: SuperpositionNetwork.Settings, batchSize: Int, learningRate: LearningRate, decay: Double) {
        network = SuperpositionNetwork(settings)
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.decay = decay
        gradients = LaneGradients(tree: tree, lanes: 0..<1, layout: network.layout)
        firstMoment = Matrix(rows: 1, columns: network.layout.elementCount)
        secondMoment = Matrix(rows: 1, columns: network.layout.elementCount)
    }

    /// One step.
    ///
    /// - Returns: the mean loss of its batch, before the update.
    func takeStep() throws -> Double {
        let samples = Array(step * batchSize..<(step + 1) * batchSize)
        let losses = network.computeGradients(
            samples: samples, lanes: 0..<1, tree: tree, pass: .training(seed: network.settings.seed, step: step),
            gradients: gradients)
        let rate = learningRate.value(at: step)
        let weight = network.weightBlock
        try WeightDecay(mode: .unitRow, rate: decay, learningRate: rate).shrink(
            MutableMatrixView(
                base: network.parameters.pointer + weight.elements.lowerBound, rows: weight.rows.count,
                columns: weight.rowWidth))
        optimizer.update(step: step, learningRate: rate, gradientFactor: 1).apply(
            to: network.parameters.pointer, gradient: gradients.sum(ofNode: 0), firstMoment: firstMoment.pointer,
            secondMoment: secondMoment.pointer, count: network.layout.elementCount)
        step += 1
        return tree.total(losses) / Double(batchSize)
    }
}
