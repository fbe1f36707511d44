public import NeuralNetwork

/// Which process owns which rows of the trained parameters: contiguous ranges, balanced by their number of elements.
public struct ParameterPartition: Sendable, Equatable {
    /// The rows of each process.
    public let rows: [Range<Int>]
    /// The elements of each process.
    public let elements: [Range<Int>]

    /// Deals the rows of a layout to `processCount` processes; where there are fewer rows than processes, some own none.
    public init(layout: ParameterLayout, processCount: Int) {
        var rowBounds = [0]
        var elementBounds = [0]
        var (row, element) = (0, 0)
        for block in layout.blocks {
            for _ in block.rows {
                // A row starts the next shard once the shards before have their share of the elements.
                while rowBounds.count < processCount,
                    (element + block.rowWidth / 2) * processCount >= layout.elementCount * rowBounds.count
                {
                    rowBounds.append(row)
                    elementBounds.append(element)
                }
                row += 1
                element += block.rowWidth
            }
        }
        while rowBounds.count < processCount {
            rowBounds.append(row)
            elementBounds.append(element)
        }
        rowBounds.append(row)
        elementBounds.append(element)
        rows = zip(rowBounds, rowBounds.dropFirst()).map { $0..<$1 }
        elements = zip(elementBounds, elementBounds.dropFirst()).map { $0..<$1 }
    }
}

/// One row that a process owns.
struct OwnedRow {
    let block: ParameterLayout.Block
    /// Among the rows of all blocks.
    let index: Int
    /// Among the elements of all blocks.
    let elements: Range<Int>
    /// Where its elements start among those that the process owns.
    let offset: Int

    /// The rows of a range, in order.
    static func all(of layout: ParameterLayout, in owned: Range<Int>) -> [OwnedRow] {
        var offset = 0
        return layout.blocks.flatMap { block in
            block.rows.clamped(to: owned).map { index in
                defer { offset += block.rowWidth }
                return OwnedRow(block: block, index: index, elements: block.elements(ofRow: index), offset: offset)
            }
        }
    }
}
