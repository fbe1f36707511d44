import FixtureFiles
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
import Safetensors
import Testing

@testable import Training

/// What PyTorch computes for the small random classifier with every parameter trained; see Tests/goldens/make_goldens.py.
private struct FullGolden: Decodable {
    struct Gradient: Decodable {
        let norm: Double
        /// With cos(0.1·i + 1) and cos(0.37·i + 1).
        let products: [Double]
    }

    let loss: Double
    let gradients: [String: Gradient]
}

@Suite("A BERT that is trained in full")
struct FullTrainingTests {
    private let samples: AdapterGolden
    private let folder = Fixture.path("tiny-bert-classifier")
    private let pass = Pass.training(seed: 3, step: 7)

    init() throws {
        samples = try Fixture.json("tiny-bert-golden.json")
    }

    /// The classifier with its own head.
    private func model(dropout: Double?) throws -> AdaptedModel {
        let model = try AdaptedModel(trainingAllOf: folder, dropout: dropout, outputCount: 3)
        let file = try TensorFolder(path: folder)
        for block in model.layout.blocks.suffix(2) {
            let values = try file.floats(of: block.name, shape: block.shape)
            (model.parameters.pointer + block.elements.lowerBound).update(from: values, count: values.count)
        }
        return model
    }

    @Test("loss and every tensor's gradient are PyTorch's")
    func golden() throws {
        let golden: FullGolden = try Fixture.json("tiny-bert-full-golden.json")
        let model = try model(dropout: 0)
        let (loss, gradients) = samples.evaluate(model, pass: pass)
        #expect(abs(loss - golden.loss) < 1e-5 * golden.loss)
        #expect(Set(model.layout.blocks.map(\.name)) == Set(golden.gradients.keys))
        for block in model.layout.blocks {
            let expected = try #require(golden.gradients[block.name])
            let found = UnsafeBufferPointer(
                start: gradients.sum(ofNode: 0) + block.elements.lowerBound, count: block.elements.count
            ).map(Double.init)
            // Sums in single precision; a key's bias changes no attention, and its gradient is all rounding.
            let tolerance = 2e-5 * expected.norm + 2e-7
            #expect(abs(found.reduce(0) { $0 + $1 * $1 }.squareRoot() - expected.norm) < tolerance, "\(block.name)")
            for (factor, product) in zip([0.1, 0.37], expected.products) {
                let sum = found.enumerated().reduce(0) { $0 + $1.element * cos(factor * Double($1.offset) + 1) }
                #expect(abs(sum - product) < 3 * tolerance, "\(block.name)")
            }
        }
        withExtendedLifetime((model, gradients)) {}
    }

    @Test("gradients with dropout are the slopes of the loss along them")
    func slopes() throws {
        let model = try model(dropout: 0.2)
        let (_, gradients) = samples.evaluate(model, pass: pass)
        let step = 2e-2
        for block in model.layout.blocks where !block.name.hasSuffix("key.bias") {
            let gradient = UnsafeBufferPointer(
                start: gradients.sum(ofNode: 0) + block.elements.lowerBound, count: block.elements.count)
            let values = UnsafeMutableBufferPointer(
                start: model.parameters.pointer + block.elements.lowerBound, count: block.elements.count)
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            let start = Array(values)
            func loss(_ distance: Double) -> Double {
                for index in start.indices {
                    values[index] = Float(Double(start[index]) + distance * Double(gradient[index]) / norm)
                }
                return samples.evaluate(model, pass: pass).loss
            }
            let slope = (loss(step) - loss(-step)) / (2 * step)
            _ = values.update(fromContentsOf: start)
            #expect(abs(slope - norm) < 1e-2 * norm + 2e-5, "\(block.name)")
        }
        withExtendedLifetime((model, gradients)) {}
    }
}
