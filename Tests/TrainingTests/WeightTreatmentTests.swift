import AdaLoRA
import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat
import Testing

@testable import Training

/// What PyTorch's optimisers do to four triplets; see Tests/goldens/make_goldens.py.
private struct DecayGolden: Decodable {
    struct Run: Decodable {
        let mode: String
        let vectors: Double
        let values: Double?
        let clip: Double?
        let normalizes: Bool
        let parametersAfterEachStep: [[[Double]]]
    }

    let beta1: Double
    let beta2: Double
    let epsilon: Double
    let learningRates: [Double]
    let start: [[Float]]
    let gradients: [[[Float]]]
    let runs: [Run]
}

@Suite("What a step does to weights beside AdamW")
struct WeightTreatmentTests {
    private let importance = Importance(measure: .ipt, beta1: 0.85, beta2: 0.7)

    private func configuration(_ change: (inout TrainingConfiguration) -> Void) throws -> TrainingConfiguration {
        var configuration = TrainingConfiguration(model: "m", train: "t", output: "o")
        change(&configuration)
        try configuration.validate()
        return configuration
    }

    @Test("every form of decay, by group, with clipping or unit vectors: PyTorch's optimisers, for twelve steps")
    func golden() throws {
        let golden: DecayGolden = try Fixture.json("decay-golden.json")
        #expect(golden.runs.count == 8)
        for run in golden.runs {
            let mode = try #require(TrainingConfiguration.DecayMode(rawValue: run.mode))
            let configuration = try configuration {
                $0.optimizer.decayMode = mode
                $0.optimizer.weightDecayOfVectors = run.vectors
                $0.optimizer.weightDecayOfValues = run.values
                $0.optimizer.weightDecay = 0.125
                $0.optimizer.largestWeight = run.clip
                $0.adapter.normalization = run.normalizes ? .unit : nil
            }
            let treatment = try #require(WeightTreatment(configuration))
            let values = Matrix(rows: 4, columns: 6, elements: golden.start.flatMap(\.self))
            let state = OwnedState(elements: 0..<24)
            let optimizer = AdamW(
                beta1: golden.beta1, beta2: golden.beta2, epsilon: golden.epsilon, weightDecay: 0.125)
            for (step, gradient) in golden.gradients.enumerated() {
                let gradient = Matrix(rows: 4, columns: 6, elements: gradient.flatMap(\.self))
                let update = optimizer.update(step: step, learningRate: golden.learningRates[step], gradientFactor: 1)
                for row in 0..<4 {
                    try treatment.apply(
                        update, importance, at: .gradient, to: values.pointer + 6 * row,
                        gradient: gradient.pointer + 6 * row, state: StatePointers(state), offset: 6 * row, count: 6,
                        kind: .triplets(outputs: 3, inputs: 2))
                }
                withExtendedLifetime((gradient, state)) {}
                let expected = run.parametersAfterEachStep[step].flatMap(\.self)
                for (found, parameter) in zip(values.elements, expected) {
                    // A few units of single precision for each step.
                    #expect(abs(Double(found) - parameter) < 2e-6 * max(1, abs(parameter)), "\(run.mode) step \(step)")
                }
            }
        }
    }

    @Test("the importance does not see the decay, and takes the weights before or after the whole step")
    func sensitivity() throws {
        let configuration = try configuration {
            $0.optimizer.decayMode = .l2
            $0.optimizer.weightDecay = 0.5
            $0.optimizer.largestWeight = 0.15
        }
        let treatment = try #require(WeightTreatment(configuration))
        let update = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5)
            .update(step: 0, learningRate: 0.1, gradientFactor: 0.5)
        for point in TrainingConfiguration.SensitivityPoint.allCases {
            let (values, gradient) = ([Float](repeating: 0.3, count: 6), [Float](repeating: 0.2, count: 6))
            let weights = Matrix(rows: 1, columns: 6, elements: values)
            let state = OwnedState(elements: 0..<6)
            try treatment.apply(
                update, importance, at: point, to: weights.pointer, gradient: gradient, state: StatePointers(state),
                offset: 0, count: 6, kind: .triplets(outputs: 3, inputs: 2))
            // (1 − β1)·|w·g|, with the gradient times its factor: w = 0.3 before, and clipped from 0.2 after.
            let expected: Float = 0.15 * 0.1 * (point == .gradient ? 0.3 : 0.15)
            #expect((0..<6).allSatisfy { abs(state[.smoothedSensitivity][$0] - expected) < 1e-8 }, "\(point)")
            withExtendedLifetime((weights, state)) {}
        }
    }

    @Test("is not there where AdamW with one decay does all")
    func absent() throws {
        #expect(WeightTreatment(try configuration { $0.optimizer.weightDecay = 0.01 }) == nil)
        #expect(WeightTreatment(try configuration { $0.optimizer.weightDecayOfHead = 0 }) == nil)
        #expect(WeightTreatment(try configuration { $0.optimizer.weightDecayOfHead = 0.1 }) != nil)
    }

    @Test("a bound on the spectral norm holds, changes λ alone, and leaves smaller modules as they are")
    func spectralBound() throws {
        let configuration = try configuration {
            $0.adapter.initialRank = 4
            $0.adapter.largestSpectralNorm = 0.75
        }
        let model = try AdaptedModel(
            encoder: try ModelFolder.loadEncoder(path: Fixture.path("tiny-bert")),
            adaptation: Adaptation(
                modules: [
                    .init(path: "bert.encoder.layer.0.intermediate.dense", rank: 4),
                    .init(path: "bert.encoder.layer.1.output.dense", rank: 4),
                ], scale: configuration.adapterSettings.scale, dropout: 0), outputCount: 2)
        try model.initialize(configuration)
        func singularValue(_ block: ParameterLayout.Block, _ triplet: Int) -> Int {
            block.elements(ofRow: block.rows.lowerBound + triplet).lowerBound + (block.outputs ?? 0)
        }
        for (index, block) in model.tripletBlocks.enumerated() {
            for triplet in 0..<4 {
                model.parameters.pointer[singularValue(block, triplet)] = Float(triplet + 1) * (index == 0 ? 9 : 1e-3)
            }
        }
        let before = model.parameters.elements
        let bound = try #require(SpectralBound(configuration))
        bound.apply(to: model.tripletBlocks, parameters: model.parameters.pointer)
        let scale = Double(configuration.adapterSettings.scale)
        func norm(_ block: ParameterLayout.Block) -> Double {
            let rows = MatrixView(
                base: model.parameters.pointer + block.elements.lowerBound, rows: 4, columns: block.rowWidth)
            return scale * spectralNorm(ofTriplets: rows, outputs: block.outputs ?? 0)
        }
        let (first, second) = (model.tripletBlocks[0], model.tripletBlocks[1])
        #expect(norm(first) <= 0.75 && norm(first) > 0.75 * (1 - 1e-6))
        #expect(norm(second) < 0.75)
        let after = model.parameters.elements
        #expect(after[second.elements] == before[second.elements])
        let scaled = Set((0..<4).map { singularValue(first, $0) })
        for place in first.elements { #expect((after[place] == before[place]) == !scaled.contains(place)) }
        bound.apply(to: model.tripletBlocks, parameters: model.parameters.pointer)
        #expect(model.parameters.elements == after)
    }

    @Test("unit vectors at the start leave PΛQ as it is, and zeros")
    func unitStart() {
        var row: [Float] = [3, 0, 4, 2, 0, -2]  // P = (3, 0, 4), λ = 2, Q = (0, −2)
        WeightTreatment.normalize(&row, outputs: 3, count: 6)
        #expect(row == [0.6, 0, 0.8, 20, 0, -1])
        var zeros: [Float] = [0, 0, 0, 2, 0, -2]
        WeightTreatment.normalize(&zeros, outputs: 3, count: 6)
        #expect(zeros == [0, 0, 0, 4, 0, -1])
    }
}
