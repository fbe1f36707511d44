import LinearAlgebra
import NeuralNetwork
import Randomness
import Testing

@Suite("Dropout")
struct DropoutTests {
    /// Applies dropout to ones and reports which are kept: [rows][columns].
    private func kept(_ dropout: Dropout, columns: Int, batch: PackedBatch, pass: Pass) -> [[Bool]] {
        let values = Matrix(rows: batch.rowCount, columns: columns)
        for index in 0..<batch.rowCount * columns { values.pointer[index] = 1 }
        DroppedRows().apply(dropout, to: values.mutableView, batch: batch, pass: pass)
        return (0..<batch.rowCount).map { row in (0..<columns).map { values[row, $0] != 0 } }
    }

    @Test(
        "what is dropped is the Philox number at (seed, step, site, slot, position, column)",
        arguments: [8, 24, 13, 200])
    func philoxPlace(columns: Int) {
        let dropout = Dropout(site: 6, probability: 0.4)
        let result = kept(dropout, columns: columns, batch: smallBatch, pass: .training(seed: 77, step: 5))
        let threshold = UInt32((0.4 * 65_536).rounded())
        for sequence in smallBatch.sequences {
            let stream = RandomStream(seed: 77, purpose: .dropout, step: 5, sample: sequence.slot, layer: 6)
            for (position, row) in sequence.rows.enumerated() {
                for column in 0..<columns {
                    let block = stream.block(UInt32(position * ((columns + 7) / 8) + column / 8))
                    let word = block[column % 8 / 2]
                    let number = column % 2 == 0 ? word & 0xFFFF : word >> 16
                    #expect(result[row][column] == (number >= threshold))
                }
            }
        }
    }

    @Test("a sample's mask does not depend on which lanes a process holds")
    func placement() {
        let dropout = Dropout(site: 6, probability: 0.4)
        let pass = Pass.training(seed: 77, step: 5)
        let second = PackedBatch(
            lanes: [[sequence(5)]], firstLane: 1, firstSlot: 2)
        let whole = kept(dropout, columns: 16, batch: smallBatch, pass: pass)
        let alone = kept(dropout, columns: 16, batch: second, pass: pass)
        #expect(Array(whole[smallBatch.sequences[2].rows]) == alone)
    }

    @Test("the share of what is dropped is the probability, and what is kept is scaled up")
    func share() {
        let long = PackedBatch(
            lanes: [[sequence(400)]], firstLane: 0, firstSlot: 0)
        let values = Matrix(rows: 400, columns: 384)
        for index in 0..<400 * 384 { values.pointer[index] = 1 }
        DroppedRows().apply(
            Dropout(site: 1, probability: 0.1), to: values.mutableView, batch: long, pass: .training(seed: 1, step: 0))
        let dropped = Double(values.elements.count { $0 == 0 }) / Double(400 * 384)
        // 153,600 draws: the standard deviation of the share is 0.0008.
        #expect(abs(dropped - 0.1) < 0.004)
        #expect(values.elements.allSatisfy { $0 == 0 || $0 == Float(1 / 0.9) })
    }

    @Test("outside of training nothing is dropped")
    func inference() {
        let result = kept(Dropout(site: 6, probability: 0.9), columns: 16, batch: smallBatch, pass: .inference)
        #expect(result.allSatisfy { $0.allSatisfy(\.self) })
    }
}
