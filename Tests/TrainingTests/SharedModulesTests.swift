import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat
import Testing

@testable import Training

@Suite("Modules that share an adapter")
struct SharedModulesTests {
    private func encoder() throws -> TextEncoder {
        try ModelFolder.loadEncoder(path: Fixture.path("tiny-bert"), dropout: 0)
    }

    @Test("are those of one shape that a name matches, each with the first name that does")
    func groups() throws {
        let linears = try encoder().linears
        let groups = try SharedModules.grouped(
            linears, by: ["attention.output.dense", "output.dense", "0.attention.self.key"], rank: 2)
        let layer = "bert.encoder.layer"
        #expect(
            groups.map { [$0.path] + $0.sharers } == [
                ["\(layer).0.attention.self.query"], ["\(layer).0.attention.self.key"],
                ["\(layer).0.attention.self.value"],
                ["\(layer).0.attention.output.dense", "\(layer).1.attention.output.dense"],
                ["\(layer).0.intermediate.dense"], ["\(layer).0.output.dense", "\(layer).1.output.dense"],
                ["\(layer).1.attention.self.query"], ["\(layer).1.attention.self.key"],
                ["\(layer).1.attention.self.value"], ["\(layer).1.intermediate.dense"], ["bert.pooler.dense"],
            ])
        // Of several shapes, a name makes several groups.
        let all = try SharedModules.grouped(linears, by: ["dense"], rank: 2)
        #expect(all.filter { !$0.sharers.isEmpty }.map { $0.sharers.count + 1 } == [3, 2, 2])
        let error = try #require(throws: TrainingError.self) {
            try SharedModules.grouped(linears, by: ["gate"], rank: 2)
        }
        #expect(error.description.contains("'gate' matches none of the modules"))
    }

    @Test("have the sum of the gradients that the modules would have alone, at the same function")
    func gradients() throws {
        let paths = [0, 1].flatMap { layer in
            ["query", "value"].map { "bert.encoder.layer.\(layer).attention.self.\($0)" }
        }
        var configuration = TrainingConfiguration(model: "", train: "", output: "")
        configuration.seed = 3
        let shared = try AdaptedModel(
            encoder: try encoder(),
            adaptation: Adaptation(
                modules: [.init(path: paths[0], rank: 3, sharers: Array(paths.dropFirst()))],
                scale: 2, dropout: 0), outputCount: 2)
        let apart = try AdaptedModel(
            encoder: try encoder(),
            adaptation: Adaptation(modules: paths.map { .init(path: $0, rank: 3) }, scale: 2, dropout: 0),
            outputCount: 2)
        try shared.initialize(configuration)
        let block = shared.tripletBlocks[0]
        for row in block.rows { shared.parameters.pointer[block.elements(ofRow: row).lowerBound + 32] = 0.5 }
        let triplets = shared.parameters.elements[block.elements]
        for (place, value) in shared.parameters.elements[block.elements.upperBound...].enumerated() {
            apart.parameters.pointer[4 * block.elements.count + place] = value
        }
        for (copy, _) in paths.enumerated() {
            for (place, value) in triplets.enumerated() {
                apart.parameters.pointer[copy * triplets.count + place] = value
            }
        }
        var logits: [[Float]] = []
        var sums: [[Float]] = []
        let lanes = [3, 5, 2].map { length in
            [TokenSequence(tokens: (0..<Int32(length)).map { $0 + 5 }, types: .init(repeating: 0, count: length))]
        }
        for model in [shared, apart] {
            let batch = PackedBatch(lanes: lanes, firstLane: 0, firstSlot: 0)
            let gradients = LaneGradients(tree: LaneTree(laneCount: 3), lanes: 0..<3, layout: model.layout)
            let upstream = Matrix(rows: 3, columns: 2, elements: [0.3, -0.2, 0.5, 0.1, -0.4, 0.7])
            // Twice: a second pass must not see the first.
            for _ in 0..<2 {
                let pass = Pass.training(seed: 0, step: 0)
                let (output, _) = model.forward(batch, pass: pass)
                logits.append((0..<3).flatMap { Array(output.row($0)) })
                model.backward(upstream.view, pass: pass, gradients: gradients)
            }
            sums.append(
                Array(UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: model.layout.elementCount)))
            withExtendedLifetime((gradients, upstream)) {}
        }
        #expect(Set(logits).count == 1)
        let count = triplets.count
        let largest = sums[0].map(\.magnitude).max() ?? 0
        #expect(largest > 0)
        for place in 0..<count {
            let expected = (0..<4).reduce(0.0) { $0 + Double(sums[1][$1 * count + place]) }
            // Sums of four numbers in single precision.
            #expect(abs(Double(sums[0][place]) - expected) < 1e-6 * Double(largest))
        }
        // The adapter repeats the triplets for every module; one whose copies differ cannot be taken up.
        #expect(shared.tripletCount == 3)
        withExtendedLifetime((shared, apart)) {}
    }
}
