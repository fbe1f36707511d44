import Foundation
import LinearAlgebra
import Models

/// One training of a sweep: its place in the grid, and everything else that its result depends on.
struct SweepCell: Codable, Hashable, Sendable {
    let m: Int
    let alpha: Double
    let gamma: Double
    let n: Int
    let seed: Int
    let bias: SweepConfiguration.Bias
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

    /// Trains and measures.
    ///
    /// - Parameter progress: called after every step, with the number of steps done and the batch's loss.
    func run(progress: (Int, Double) throws -> Void) throws -> CellResult {
        let training = SuperpositionTraining(
            SuperpositionNetwork.Settings(
                features: n, hidden: m, exponent: alpha, seed: UInt64(seed), startsWithRandomBias: bias == .normal),
            batchSize: batchSize,
            learningRate: LearningRate(
                peak: lr, schedule: .cosine, warmUpSteps: warmupSteps, totalSteps: steps, lowestShare: 0.05),
            decay: gamma)
        for step in 0..<steps {
            let loss = try training.takeStep()
            guard loss.isFinite else { return CellResult(cell: self, divergedAtStep: step, measures: nil) }
            try progress(step + 1, loss)
        }
        let network = training.network
        let loss = network.evaluate(0..<evaluationSamples)
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
