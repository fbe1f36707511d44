import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import Testing

/// Hidden states of the real all-MiniLM-L6-v2, as transformers computes them; see Tests/goldens/make_goldens.py.
private struct MiniLMGolden: Decodable {
    struct Sample: Decodable {
        let text: String
        let inputIds: [Int32]
        let positions: [Int]
        let hiddenStates: [[Double]]
    }

    let samples: [Sample]
}

@Suite("The real MiniLM", .enabled(if: Fixture.data != nil, "launch/fetch-data.sh fetches the model"))
struct MiniLMTests {
    @Test("hidden states are within 2e-5 of transformers' on 20 texts of very different lengths")
    func hiddenStates() throws {
        let golden: MiniLMGolden = try Fixture.json("minilm-hidden-golden.json")
        let encoder = try ModelFolder.loadEncoder(path: (Fixture.data ?? "") + "/minilm")
        let batch = PackedBatch(
            lanes: golden.samples.map {
                [TokenSequence(tokens: $0.inputIds, types: [Int32](repeating: 0, count: $0.inputIds.count))]
            }, firstLane: 0, firstSlot: 0)
        let hidden = encoder.hiddenStates(batch, pass: .inference)
        var worst = 0.0
        for (sequence, sample) in zip(batch.sequences, golden.samples) {
            for (position, states) in zip(sample.positions, sample.hiddenStates) {
                for (found, expected) in zip(hidden.row(sequence.rows.lowerBound + position), states) {
                    worst = max(worst, abs(Double(found) - expected))
                }
            }
        }
        #expect(golden.samples.count == 20)
        #expect(worst < 2e-5)
    }
}
