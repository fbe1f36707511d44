internal import CKernels
public import LinearAlgebra

/// Multi-head attention within each sequence of a packed batch: `dropout(softmax(Q·Kᵀ/√d))·V`, head by head.
///
/// The probabilities are not kept: the backward pass computes them anew from the logarithms of their sums.
public final class Attention {
    private let headCount: Int
    private let headWidth: Int
    private let dropout: Dropout
    private let logSums = Matrix()  // [heads, Q]
    private let workspace = Matrix()

    public init(headCount: Int, headWidth: Int, dropout: Dropout) {
        self.headCount = headCount
        self.headWidth = headWidth
        self.dropout = dropout
    }

    /// - Parameters:
    ///   - query: [Q, heads · width], with its bias.
    ///   - key, value: [T, heads · width], with their biases.
    ///   - output: [Q, heads · width].
    ///   - queries: the batch itself, where every token asks; or its samples, where the first token of each sequence does.
    public func forward(
        query: MatrixView, key: MatrixView, value: MatrixView, into output: MutableMatrixView, batch: PackedBatch,
        queries: PackedBatch, pass: Pass
    ) {
        prepare(batch, queries)
        WorkLog.measure(.attention) {
            forEachHead(of: batch, queries, stride: query.stride, pass: pass) { head, asked, offset in
                withUnsafePointer(to: head) {
                    kernel_attention(
                        $0, query.base + asked.element, key.base + offset, value.base + offset,
                        output.base + asked.element,
                        logSums.pointer + asked.logSum, workspace.pointer)
                }
            }
        }
    }

    /// The gradients of query, key and value, from what `forward` was given.
    public func backward(
        _ outputGradient: MatrixView, query: MatrixView, key: MatrixView, value: MatrixView,
        queryGradient: MutableMatrixView, keyGradient: MutableMatrixView, valueGradient: MutableMatrixView,
        batch: PackedBatch, queries: PackedBatch, pass: Pass
    ) {
        WorkLog.measure(.attention) {
            forEachHead(of: batch, queries, stride: query.stride, pass: pass) { head, asked, offset in
                withUnsafePointer(to: head) {
                    kernel_attention_backward(
                        $0, query.base + asked.element, key.base + offset, value.base + offset,
                        outputGradient.base + asked.element, logSums.pointer + asked.logSum,
                        queryGradient.base + asked.element, keyGradient.base + offset, valueGradient.base + offset,
                        workspace.pointer)
                }
            }
        }
    }

    /// Calls the body with each head of each sequence, where its queries and their log sums start, and where the elements
    /// of its keys and values do.
    private func forEachHead(
        of batch: PackedBatch, _ queries: PackedBatch, stride: Int, pass: Pass,
        _ body: (kernel_attention_head, (element: Int, logSum: Int), Int) -> Void
    ) {
        for (sequence, asking) in zip(batch.sequences, queries.sequences) {
            let length = sequence.rows.count
            var head = kernel_attention_head()
            head.length = length
            head.queries = asking.rows.count
            head.width = headWidth
            head.stride = stride
            head.scale = 1 / Float(headWidth).squareRoot()
            head.keep_scale = dropout.keepScale
            head.threshold = dropout.isActive(in: pass) ? dropout.threshold : 0
            head.place = dropout.place(slot: sequence.slot, in: pass)
            for index in 0..<headCount {
                head.first_block = UInt32(truncatingIfNeeded: index * length * ((length + 7) / 8))
                let column = index * headWidth
                body(
                    head,
                    (
                        asking.rows.lowerBound * stride + column,
                        index * queries.rowCount + asking.rows.lowerBound
                    ), sequence.rows.lowerBound * stride + column)
            }
        }
    }

    private func prepare(_ batch: PackedBatch, _ queries: PackedBatch) {
        let longest = batch.sequences.map(\.rows.count).max() ?? 0
        logSums.resize(rows: headCount, columns: queries.rowCount)
        workspace.resize(rows: 1, columns: kernel_attention_workspace(longest, headWidth))
    }
}
