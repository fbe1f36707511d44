internal import CKernels
internal import LinearAlgebra

/// What the distances of tokens add to the scores of attention in one batch, and the gradients of what it is computed from.
struct DistanceScores {
    /// What scores are computed from: a row for each distance of each lane.
    enum Terms<View> {
        /// The products of queries with the first, and of keys with the second: [rows, heads · width] each.
        case products(keys: View?, queries: View?)
        /// Numbers to be added, [rows, heads].
        case bias(View)
    }

    let distances: TokenDistances
    let terms: Terms<MatrixView>
    /// Nil in the forward pass; there, and in the backward pass, sums over the sequences of a lane are added to what is there.
    var gradients: Terms<MutableMatrixView>?
    /// The tokens, and the rows of the distances.
    let batch, rows: PackedBatch
    let buffers: Buffers

    /// Memory that an operation keeps.
    final class Buffers {
        fileprivate let added = Matrix()  // [queries, length up to a multiple of 16]
        fileprivate let gradient = Matrix()
        fileprivate let workspace = Matrix()
        /// The rows of the distances from −longest to longest.
        fileprivate var table: [Int32] = []
        /// Of each sequence.
        fileprivate var lanes: [Int] = []
    }

    init(
        _ distances: TokenDistances, _ terms: Terms<MatrixView>, gradients: Terms<MutableMatrixView>? = nil,
        batch: PackedBatch, rows: PackedBatch, buffers: Buffers, headWidth: Int
    ) {
        self.distances = distances
        self.terms = terms
        self.gradients = gradients
        self.batch = batch
        self.rows = rows
        self.buffers = buffers
        let longest = batch.sequences.map(\.rows.count).max() ?? 1
        let padded = longest * ((longest + 15) / 16 * 16)
        for matrix in [buffers.added, buffers.gradient] { matrix.resize(rows: 1, columns: padded) }
        if buffers.table.count < 2 * longest + 1 {
            buffers.table = (-longest...longest).map { Int32(distances.row(ofDistance: $0)) }
        }
        buffers.workspace.resize(
            rows: 1,
            columns: kernel_distances_workspace(longest, headWidth, distances.rowCount(length: longest)))
        buffers.lanes = batch.lanes.enumerated().flatMap { number, lane in lane.sequences.map { _ in number } }
    }

    /// Sets what is added to the scores of a head of a sequence, and where its gradient goes.
    func add(
        to head: inout kernel_attention_head, _ sequence: Int, _ index: Int, query: UnsafePointer<Float>,
        key: UnsafePointer<Float>
    ) {
        head.added = UnsafePointer(buffers.added.pointer)
        if gradients != nil { head.added_gradient = buffers.gradient.pointer }
        withDistances(sequence, head) { distances in
            let row = firstRow(sequence)
            switch terms {
            case .products(let keys, let queries):
                func part(_ view: MatrixView?) -> UnsafePointer<Float>? {
                    view.map { UnsafePointer($0.rowStart(row)) + index * head.width }
                }
                kernel_add_distances(
                    &head, distances, query, key, part(keys), part(queries), buffers.added.pointer,
                    buffers.workspace.pointer)
            case .bias(let bias):
                kernel_add_distance_bias(&head, distances, bias.rowStart(row) + index, buffers.added.pointer)
            }
        }
    }

    /// Adds to the gradients of queries and keys, and of the terms.
    func addGradients(
        of head: inout kernel_attention_head, _ sequence: Int, _ index: Int, query: UnsafePointer<Float>,
        key: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>, keyGradient: UnsafeMutablePointer<Float>
    ) {
        withDistances(sequence, head) { distances in
            let row = firstRow(sequence)
            switch (terms, gradients) {
            case (.products(let keys, let queries), .products(let keysGradient, let queriesGradient)):
                func part(_ view: MatrixView?) -> UnsafePointer<Float>? {
                    view.map { UnsafePointer($0.rowStart(row)) + index * head.width }
                }
                func target(_ view: MutableMatrixView?) -> UnsafeMutablePointer<Float>? {
                    view.map { $0.rowStart(row) + index * head.width }
                }
                kernel_add_distances_backward(
                    &head, distances, query, key, part(keys), part(queries), buffers.gradient.pointer, queryGradient,
                    keyGradient, target(keysGradient), target(queriesGradient), buffers.workspace.pointer)
            case (.bias, .bias(let gradient)):
                kernel_add_distance_bias_backward(
                    &head, distances, buffers.gradient.pointer, gradient.rowStart(row) + index)
            default: break
            }
        }
    }

    private func firstRow(_ sequence: Int) -> Int { rows.lanes[buffers.lanes[sequence]].rows.lowerBound }

    private func withDistances(
        _ sequence: Int, _ head: kernel_attention_head, _ body: (UnsafePointer<kernel_distances>) -> Void
    ) {
        let stride =
            switch terms {
            case .products(let keys, let queries): (keys ?? queries)?.stride ?? 0
            case .bias(let bias): bias.stride
            }
        buffers.table.withUnsafeBufferPointer { table in
            guard let base = table.baseAddress else { return }
            var distances = kernel_distances(
                rows: base + table.count / 2, count: distances.rowCount(length: head.length), stride: stride)
            body(&distances)
        }
    }
}
