import CKernels
import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Every operation in a network", .serialized)
struct OperationCaseTests {
    private func lossWeights(_ output: MatrixView) -> Matrix { matrix(output.rows, output.columns, seed: 9) }

    @Test("its gradient agrees with finite differences", arguments: OperationCase.all, [0.0, 0.3])
    func gradients(operation: OperationCase, probability: Double) {
        let bench = OperationBench(operation, probability: probability)
        let weights = lossWeights(bench.forward(unevenBatch))
        let gradients = bench.gradients(weights.view, lanes: unevenBatch.lanes.indices)
        for block in bench.layout.blocks {
            expectGradient(
                Array(bench.total([gradients])[block.elements]),
                of: bench.parameters.pointer + block.elements.lowerBound,
                loss: { weightedSum(weights, bench.forward(unevenBatch)) }, "\(block.name)")
        }
    }

    /// Output and gradients have the same bits: what a lane gives depends on no other lane.
    @Test("a lane gives the same alone", arguments: OperationCase.all, [0.0, 0.3])
    func lanes(operation: OperationCase, probability: Double) {
        let bench = OperationBench(operation, probability: probability)
        let whole = bench.forward(unevenBatch)
        let weights = lossWeights(whole)
        let output = rows(whole)
        let together = bench.total([bench.gradients(weights.view, lanes: unevenBatch.lanes.indices)])

        var apart: [LaneGradients] = []
        var first = 0
        for (index, lane) in unevenBatch.lanes.enumerated() {
            let alone = PackedBatch(
                lanes: [unevenLanes[index]], firstLane: index, firstSlot: lane.sequences.lowerBound)
            let part = bench.forward(alone)
            let range = first..<first + part.rows
            #expect(rows(part) == Array(output[range]), "lane \(index)")
            apart.append(bench.gradients(weights.view[rows: range], lanes: index..<index + 1))
            first = range.upperBound
        }
        #expect(first == output.count)
        #expect(bench.total(apart) == together)
    }

    @Test("its bits are the same on all processors with fused arithmetic", arguments: OperationCase.all)
    func instructions(operation: OperationCase) {
        defer { kernel_use_instructions(kernel_best_instructions()) }
        let results = RowProductTests.fused.map { level in
            kernel_use_instructions(level)
            let bench = OperationBench(operation, probability: 0.3)
            let whole = bench.forward(unevenBatch)
            let (output, weights) = (rows(whole), lossWeights(whole))
            return (output, bench.total([bench.gradients(weights.view, lanes: unevenBatch.lanes.indices)]))
        }
        for result in results { #expect(result == results[0]) }
    }

    private func rows(_ view: MatrixView) -> [[Float]] { (0..<view.rows).map { Array(view.row($0)) } }
}
