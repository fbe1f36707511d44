import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat
import Testing

@testable import Training

@Suite("The start of a run")
struct InitializationTests {
    private func model(_ change: (inout TrainingConfiguration) -> Void) throws -> AdaptedModel {
        var configuration = TrainingConfiguration(model: "", train: "", output: "")
        configuration.seed = 7
        change(&configuration)
        let model = try AdaptedModel(
            encoder: try ModelFolder.loadEncoder(path: Fixture.path("tiny-bert")),
            adaptation: Adaptation(
                modules: [
                    .init(path: "bert.encoder.layer.0.intermediate.dense", rank: 3),
                    .init(path: "bert.encoder.layer.1.output.dense", rank: 5),
                ], scale: 1, dropout: 0), outputCount: 3)
        try model.initialize(configuration)
        return model
    }

    @Test("xavier and he are the normals of `normal` with the deviations of PyTorch's initialisers, λ and bias 0")
    func deviations() throws {
        let normal = try model { _ in }
        for (adapter, head, deviation): (TrainingConfiguration.AdapterInitialization, _, (Double, Double) -> Double)
            in [
                // nn.init._calculate_fan_in_and_fan_out, xavier_normal_(gain 1) and kaiming_normal_(a = 0).
                (.xavier, TrainingConfiguration.HeadInitialization.xavier, { (2 / ($0 + $1)).squareRoot() }),
                (.he, .he, { inputs, _ in (2 / inputs).squareRoot() }),
            ]
        {
            let other = try model {
                $0.adapter.initialization = adapter
                $0.head.initialization = head
            }
            func compare(_ place: Int, _ expected: Double) {
                let ratio = Double(other.parameters.pointer[place]) / Double(normal.parameters.pointer[place]) * 0.02
                // Both numbers are rounded once to single precision.
                #expect(abs(ratio - expected) < 2e-7 * expected)
            }
            for block in other.tripletBlocks {
                let (rank, outputs, inputs) = (block.rows.count, block.outputs ?? 0, block.inputs ?? 0)
                for row in block.rows {
                    let start = block.elements(ofRow: row).lowerBound
                    for column in 0..<outputs { compare(start + column, deviation(Double(rank), Double(outputs))) }
                    #expect(other.parameters.pointer[start + outputs] == 0)
                    for column in 0..<inputs {
                        compare(start + outputs + 1 + column, deviation(Double(inputs), Double(rank)))
                    }
                }
            }
            for block in other.layout.blocks where block.name == "classifier.weight" {
                for place in block.elements { compare(place, deviation(32, 3)) }
            }
            for block in other.layout.blocks where block.name == "classifier.bias" {
                #expect(block.elements.allSatisfy { other.parameters.pointer[$0] == 0 })
            }
        }
    }

    @Test("a difference of adapters has the difference of their ΔW, at the same scale")
    func difference() {
        func module(_ rank: Int, pattern: [Bool], seed: Int) -> AdapterModule {
            func numbers(_ count: Int, _ salt: Int) -> [Float] {
                (0..<count).map { Float(($0 * 37 + seed * 101 + salt * 53) % 97) / 97 - 0.5 }
            }
            return AdapterModule(
                path: "a", outputs: 4, inputs: 3, leftVectors: numbers(rank * 4, 1), singularValues: numbers(rank, 2),
                rightVectors: numbers(rank * 3, 3), pattern: pattern)
        }
        let settings = {
            var configuration = TrainingConfiguration(model: "", train: "", output: "")
            configuration.adapter.initialRank = 3
            return configuration.adapterSettings
        }()
        let now = Adapter(modules: [module(2, pattern: [true, false, true], seed: 1)], head: [], settings: settings)
        let start = module(3, pattern: [true, true, true], seed: 2)
        let difference = now.subtracting([start])
        #expect(difference.settings.initialRank == 6)
        #expect(difference.modules[0].pattern == [true, false, true, true, true, true])
        func element(_ module: AdapterModule, _ scale: Float, _ row: Int, _ column: Int) -> Double {
            (0..<module.rank).reduce(0) { sum, triplet in
                sum + Double(scale) * Double(module.singularValues[triplet])
                    * Double(module.leftVectors[triplet * 4 + row]) * Double(module.rightVectors[triplet * 3 + column])
            }
        }
        for row in 0..<4 {
            for column in 0..<3 {
                let expected =
                    element(now.modules[0], settings.scale, row, column)
                    - element(start, settings.scale, row, column)
                let found = element(difference.modules[0], difference.settings.scale, row, column)
                // λ is rounded once more, and so is the factor between the scales.
                #expect(abs(found - expected) < 1e-6 * Double(settings.scale))
            }
        }
    }
}
