import Foundation
import LinearAlgebra
import MessagePassing
import Models

/// One training of a sweep: its place in the grid, and everything else that its result depends on.
struct SweepCell: Codable, Hashable, Sendable {
    let m: Int
    let alpha: Double
    let gamma: Double
    let n: Int
    let seed: Int
    let bias: TrainingConfiguration.SuperpositionSettings.Bias
    let steps: Int
    let batchSize: Int
    let lr: Double
    let warmupSteps: Int
    let evaluationSamples: Int

    /// The place in the grid, for messages.
    var title: String { "m \(m), alpha \(alpha.yamlText), gamma \(gamma.yamlText), n \(n), seed \(seed)" }

    /// The place in the grid, as the name of a file.
    var name: String { "m\(m)-alpha\(alpha.yamlText)-gamma\(gamma.yamlText)-n\(n)-seed\(seed)" }

    /// What its time is in proportion to, more or less, in millions of multiplications.
    func work(ofSteps steps: Int) -> Int64 {
        Int64(Double(steps) * Double(batchSize) * Double(n) * Double(m + 16) / 1e6) + 1
    }

    /// The same as a run on one lane.
    var configuration: TrainingConfiguration {
        var configuration = TrainingConfiguration(output: "")
        configuration.task = .superposition
        configuration.method = .full
        configuration.superposition.features = n
        configuration.superposition.hidden = m
        configuration.superposition.exponent = alpha
        configuration.superposition.bias = bias
        configuration.superposition.evaluationSamples = evaluationSamples
        configuration.optimizer.learningRate = lr
        configuration.optimizer.schedule = .cosine
        configuration.optimizer.lowestShare = 0.05
        configuration.optimizer.warmUpSteps = warmupSteps
        configuration.optimizer.decayMode = .unitRow
        configuration.optimizer.weightDecay = gamma
        configuration.totalSteps = steps
        configuration.batchSize = batchSize
        configuration.seed = seed
        configuration.gradientLanes = 1
        return configuration
    }

    /// Trains and measures.
    ///
    /// - Parameters:
    ///   - alone: this process.
    ///   - progress: called after every step, with the number of steps done and the batch's loss.
    func run(_ alone: borrowing Communicator, progress: (Int, Double) throws -> Void) throws -> CellResult {
        let run = SuperpositionRun(configuration)
        let trainer = try Trainer(configuration: configuration, network: run.network, alone)
        let watch = StepWatch()
        while trainer.step < steps {
            let report = try trainer.takeStep(watch: watch, checkpoint: .none, alone)
            guard report.skipped == nil else {
                return CellResult(cell: self, divergedAtStep: report.step, measures: nil)
            }
            try progress(trainer.step, report.taskLoss)
        }
        let network = run.superposition
        let loss = try NewSamples(network: network, range: 0..<evaluationSamples).meanLoss(alone)
        guard loss.isFinite, let geometry = try? RowGeometry(of: network.weight) else {
            return CellResult(cell: self, divergedAtStep: steps, measures: nil)
        }
        return CellResult(
            cell: self, divergedAtStep: nil,
            measures: CellResult.Measures(loss: loss, geometry: geometry, data: network.data))
    }
}

/// What a cell came to: a line of the sweep's output.
struct CellResult: Codable, Equatable, Sendable {
    let cell: SweepCell
    /// The step whose loss was not finite; then there are no measures.
    let divergedAtStep: Int?
    let measures: Measures?

    struct Measures: Codable, Equatable, Sendable {
        /// The mean over samples that were not trained on.
        let loss: Double
        /// Rows longer than ½, and their share of all.
        let represented: Int
        let phiHalf: Double
        /// What the loss would be if so many features, the likeliest, were free of error and the others lost.
        let unrepresentedLoss: Double
        /// Of the rows that are not 0.
        let meanSquareOverlap: Double?
        let overlapTimesM: Double?
        let welchBound: Double?
        let normMin: Double
        let normMean: Double
        let normMax: Double

        init(loss: Double, geometry: RowGeometry, data: SparseFeatures) {
            self.loss = loss
            represented = geometry.longRows
            phiHalf = geometry.longShare
            unrepresentedLoss = data.loss(ofFeaturesFrom: geometry.longRows)
            meanSquareOverlap = geometry.meanSquareOverlap
            overlapTimesM = geometry.meanSquareOverlap.map { $0 * Double(geometry.columns) }
            welchBound = geometry.welchBound
            normMin = geometry.smallestNorm
            normMean = geometry.meanNorm
            normMax = geometry.largestNorm
        }
    }

    private enum Key: CodingKey { case divergedAtStep }

    init(cell: SweepCell, divergedAtStep: Int?, measures: Measures?) {
        self.cell = cell
        self.divergedAtStep = divergedAtStep
        self.measures = measures
    }

    /// One flat object.
    init(from decoder: any Decoder) throws {
        cell = try SweepCell(from: decoder)
        divergedAtStep = try decoder.container(keyedBy: Key.self).decodeIfPresent(Int.self, forKey: .divergedAtStep)
        measures = divergedAtStep == nil ? try Measures(from: decoder) : nil
    }

    func encode(to encoder: any Encoder) throws {
        try cell.encode(to: encoder)
        try measures?.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(divergedAtStep, forKey: .divergedAtStep)
    }

    /// One line of JSON, without its end.
    func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(self)
    }

    init(line: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(CellResult.self, from: line)
    }
}
