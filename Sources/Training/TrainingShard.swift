import LinearAlgebra
import MessagePassing
import NeuralNetwork

/// One process's part of what is trained, for one layout of the parameters: the rows that it owns with their state, and
/// how gradients reach their owners.
final class TrainingShard {
    let layout: ParameterLayout
    let partition: ParameterPartition
    let state: OwnedState
    let ownedRows: [OwnedRow]
    let gradients: LaneGradients
    let reduction: GradientReduction
    let agreementShape: Agreement.Shape
    private let processIndex: Int

    init(layout: ParameterLayout, tree: LaneTree, _ communicator: borrowing Communicator) throws {
        self.layout = layout
        processIndex = communicator.processIndex
        partition = ParameterPartition(layout: layout, processCount: communicator.processCount)
        state = OwnedState(
            elements: partition.elements[processIndex], quantities: OwnedState.quantities(of: layout))
        ownedRows = OwnedRow.all(of: layout, in: partition.rows[processIndex])
        gradients = LaneGradients(
            tree: tree, lanes: tree.lanes(ofProcess: processIndex, of: communicator.processCount), layout: layout)
        reduction = try GradientReduction(tree: tree, partition: partition, processIndex: processIndex)
        agreementShape = Agreement.Shape(layout: layout, partition: partition, tree: tree)
    }

    /// The rows that this process owns.
    var rows: Range<Int> { partition.rows[processIndex] }

    /// Takes over the state of the rows that stay when triplets are removed. Collective.
    ///
    /// The order of rows stays, so that what each process keeps is one run of the new elements, and what it owns another.
    ///
    /// - Parameters:
    ///   - former: of the layout before.
    ///   - mask: of the triplets of the former layout.
    func takeState(
        from former: TrainingShard, keeping mask: [Bool], _ communicator: borrowing Communicator
    ) throws {
        func isKept(_ row: Int) -> Bool { row >= mask.count || mask[row] }
        // Where the kept part of each process's former elements lies among the new elements.
        var kept: [Range<Int>] = []
        for rows in former.partition.rows {
            let count = OwnedRow.all(of: former.layout, in: rows).filter { isKept($0.index) }
                .reduce(0) { $0 + $1.elements.count }
            let start = kept.last?.upperBound ?? 0
            kept.append(start..<start + count)
        }
        let owned = partition.elements
        let (sending, receiving) = (kept[processIndex], owned[processIndex])
        let sendLayout = try BufferLayout(counts: owned.map { $0.clamped(to: sending).count })
        let receiveLayout = try BufferLayout(counts: kept.map { $0.clamped(to: receiving).count })
        let packed = Matrix(rows: 1, columns: sending.count)
        for quantity in state.quantities {
            var target = packed.pointer
            for row in former.ownedRows where isKept(row.index) {
                target.update(from: former.state[quantity] + row.offset, count: row.elements.count)
                target += row.elements.count
            }
            try communicator.allToAll(
                sending: UnsafeBufferPointer(start: packed.pointer, count: sending.count), sendLayout: sendLayout,
                receiving: UnsafeMutableBufferPointer(start: state[quantity], count: receiving.count),
                receiveLayout: receiveLayout)
        }
    }
}
