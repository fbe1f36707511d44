internal import CKernels
public import LinearAlgebra

/// Multi-head attention within each sequence of a packed batch: `dropout(softmax(Q·Kᵀ/√d))·V`, head by head.
///
/// The probabilities are not kept: the backward pass computes them anew from the logarithms of their sums.
public final class Attention {
    private let headCount: Int
    private let headWidth: Int
    private let dropout: Dropout
    private let logSums = Matrix()  // [heads, T]
    private let workspace = Matrix()

    public init(headCount: Int, headWidth: Int, dropout: Dropout) {
        self.headCount = headCount
        self.headWidth = headWidth
        self.dropout = dropout
    }

    /// - Parameters:
    ///   - query, key, value: [T, heads · width], with their biases.
    ///   - output: [T, heads · width]; filler rows become zero.
    public func forward(
        query: MatrixView, key: MatrixView, value: MatrixView, into output: MutableMatrixView, batch: PackedBatch,
        pass: Pass
    ) {
        prepare(batch)
        clearFiller(of: output, batch)
        forEachHead(of: batch, stride: query.stride, pass: pass) { head, start, offset in
            withUnsafePointer(to: head) {
                kernel_attention(
                    $0, query.base + offset, key.base + offset, value.base + offset, output.base + offset,
                    logSums.pointer + start, workspace.pointer)
            }
        }
    }

    /// The gradients of query, key and value, from what `forward` was given.
    public func backward(
        _ outputGradient: MatrixView, query: MatrixView, key: MatrixView, value: MatrixView,
        queryGradient: MutableMatrixView, keyGradient: MutableMatrixView, valueGradient: MutableMatrixView,
        batch: PackedBatch, pass: Pass
    ) {
        for gradient in [queryGradient, keyGradient, valueGradient] { clearFiller(of: gradient, batch) }
        forEachHead(of: batch, stride: query.stride, pass: pass) { head, start, offset in
            withUnsafePointer(to: head) {
                kernel_attention_backward(
                    $0, query.base + offset, key.base + offset, value.base + offset, outputGradient.base + offset,
                    logSums.pointer + start, queryGradient.base + offset, keyGradient.base + offset,
                    valueGradient.base + offset, workspace.pointer)
            }
        }
    }

    /// Calls the body with each head of each sequence, where its log sums start, and where its elements start.
    private func forEachHead(
        of batch: PackedBatch, stride: Int, pass: Pass, _ body: (kernel_attention_head, Int, Int) -> Void
    ) {
        for sequence in batch.sequences {
            let length = sequence.rows.count
            var head = kernel_attention_head()
            head.length = length
            head.width = headWidth
            head.stride = stride
            head.scale = 1 / Float(headWidth).squareRoot()
            head.keep_scale = dropout.keepScale
            head.threshold = dropout.isActive(in: pass) ? dropout.threshold : 0
            head.place = dropout.place(slot: sequence.slot, in: pass)
            for index in 0..<headCount {
                head.first_block = UInt32(truncatingIfNeeded: index * length * ((length + 7) / 8))
                body(
                    head, index * batch.rowCount + sequence.rows.lowerBound,
                    sequence.rows.lowerBound * stride + index * headWidth)
            }
        }
    }

    private func prepare(_ batch: PackedBatch) {
        let longest = batch.sequences.map(\.rows.count).max() ?? 0
        logSums.resize(rows: headCount, columns: batch.rowCount)
        workspace.resize(rows: 1, columns: kernel_attention_workspace(longest, headWidth))
    }

    private func clearFiller(of matrix: MutableMatrixView, _ batch: PackedBatch) {
        for (index, lane) in batch.lanes.enumerated() {
            let next = index + 1 < batch.lanes.count ? batch.lanes[index + 1].rows.lowerBound : batch.rowCount
            matrix[rows: lane.rows.upperBound..<next].clear()
        }
    }
}
