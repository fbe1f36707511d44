import Foundation
import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Lanes")
struct LaneTests {
    /// The tree's sum, written as a recursion over lane numbers alone.
    private func reference(_ values: [Float], _ first: Int, _ width: Int) -> Float {
        if width == 1 { return values[first] }
        let left = reference(values, first, width / 2)
        guard first + width / 2 < values.count else { return left }
        return left + reference(values, first + width / 2, width / 2)
    }

    @Test("the sum has the same bits for any number of processes, powers of two or not", arguments: 1...13)
    func sumsAreIndependentOfProcesses(laneCount: Int) {
        let tree = LaneTree(laneCount: laneCount)
        var layout = ParameterLayout()
        let block = layout.appendDense(name: "block", rows: 1, columns: 1)
        // Numbers of very different sizes, so that another order of summation shows.
        let values = (0..<laneCount).map { Float(sin(Double($0) * 1.7)) * Float(1 << ($0 * 5 % 23)) }
        var width = 1
        while width < laneCount { width *= 2 }
        let expected = reference(values, 0, width)
        for processCount in 1...laneCount {
            var sums: [(node: LaneTree.Node, value: UnsafeMutablePointer<Float>)] = []
            var keep: [LaneGradients] = []
            for process in 0..<processCount {
                let lanes = tree.lanes(ofProcess: process, of: processCount)
                let gradients = LaneGradients(tree: tree, lanes: lanes, layout: layout)
                gradients.set(block) { lane, gradient in gradient[0] = values[lanes.lowerBound + lane] }
                for (index, node) in gradients.nodes.enumerated() { sums.append((node, gradients.sum(ofNode: index))) }
                keep.append(gradients)
            }
            let total = tree.completed(sums, count: 1)[0]
            #expect(total.bitPattern == expected.bitPattern, "\(processCount) processes")
            withExtendedLifetime(keep) {}
        }
    }

    @Test("the lanes of the processes cover all lanes once", arguments: 1...9)
    func lanesAreDealt(processCount: Int) {
        let tree = LaneTree(laneCount: 9)
        let dealt = (0..<processCount).flatMap { Array(tree.lanes(ofProcess: $0, of: processCount)) }
        #expect(dealt == Array(0..<9))
    }

    @Test("lanes and sequences lie one after another")
    func packing() {
        #expect(smallBatch.lanes.map(\.rows) == [0..<4, 4..<9])
        #expect(smallBatch.rowCount == 9)
        #expect(smallBatch.sequences.map(\.slot) == [0, 1, 2])
    }
}
