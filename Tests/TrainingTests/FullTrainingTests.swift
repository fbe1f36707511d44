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

private struct Samples: Decodable {
    struct Sequence: Decodable {
        let inputIds: [Int32]
        let tokenTypeIds: [Int32]
    }

    struct Labels: Decodable { let classes: [Int] }

    let sequences: [Sequence]
    let labels: Labels
}

@Suite("A BERT that is trained in full")
struct FullTrainingTests {
    private let samples: Samples
    private let folder = Fixture.path("tiny-bert-classifier")
    private let tree = LaneTree(laneCount: 3)

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

    /// Loss, mean over the samples, and its gradient, summed over three lanes.
    private func evaluate(_ model: AdaptedModel) -> (loss: Double, gradients: LaneGradients) {
        let tokens = samples.sequences.map { TokenSequence(tokens: $0.inputIds, types: $0.tokenTypeIds) }
        let lanes = [tokens[..<5], tokens[5..<6], tokens[6...]].map(Array.init)
        let batch = PackedBatch(lanes: lanes, firstLane: 0, firstSlot: 0)
        let pass = Pass.training(seed: 3, step: 7)
        let (logits, rows) = model.forward(batch, pass: pass)
        let logitsGradient = Matrix(rows: rows.rowCount, columns: model.outputCount)
        let loss = rows.sequences.reduce(0.0) { sum, sample in
            let row = sample.rows.lowerBound
            return sum
                + Loss.crossEntropy.evaluate(
                    logits: logits.row(row), target: Float(samples.labels.classes[sample.slot]),
                    sampleCount: tokens.count, gradient: logitsGradient.mutableView.row(row))
        }
        let gradients = LaneGradients(tree: tree, lanes: 0..<3, layout: model.layout)
        model.backward(logitsGradient.view, batch: batch, pass: pass, gradients: gradients)
        withExtendedLifetime(logitsGradient) {}
        return (loss / Double(tokens.count), gradients)
    }

    @Test("loss and every tensor's gradient are PyTorch's")
    func golden() throws {
        let golden: FullGolden = try Fixture.json("tiny-bert-full-golden.json")
        let model = try model(dropout: 0)
        let (loss, gradients) = evaluate(model)
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
        let (_, gradients) = evaluate(model)
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
                return evaluate(model).loss
            }
            let slope = (loss(step) - loss(-step)) / (2 * step)
            _ = values.update(fromContentsOf: start)
            #expect(abs(slope - norm) < 1e-2 * norm + 2e-5, "\(block.name)")
        }
        withExtendedLifetime((model, gradients)) {}
    }
}
