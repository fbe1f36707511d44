internal import CKernels
public import LinearAlgebra

/// Multi-head attention within each sequence of a packed batch: `dropout(softmax(Q·Kᵀ/√d))·V`, head by head.
///
/// With a window, a token hears only those that are at most so far away.
///
/// The probabilities are not kept: the backward pass computes them anew from the logarithms of their sums.
public final class Attention {
    public let headCount: Int
    public let headWidth: Int
    private let window: Int?
    private let scale: Float
    private let dropout: Dropout
    private let logSums = Matrix()  // [heads, Q]
    private let workspace = Matrix()

    /// - Parameters:
    ///   - window: how far a token hears to either side, inclusive; nil is all the way.
    ///   - scale: of the products of queries and keys; nil is 1/√d.
    public init(headCount: Int, headWidth: Int, window: Int? = nil, scale: Float? = nil, dropout: Dropout) {
        precondition(window ?? 0 >= 0)
        self.headCount = headCount
        self.headWidth = headWidth
        self.window = window
        self.scale = scale ?? 1 / Float(headWidth).squareRoot()
        self.dropout = dropout
    }

    /// Columns of queries, keys, values and output: heads · width.
    public var columns: Int { headCount * headWidth }

    /// - Parameters:
    ///   - query: [Q, heads · width], with its bias.
    ///   - key, value: [T, heads · width], with their biases and with the query's stride.
    ///   - output: [Q, heads · width].
    ///   - queries: the batch itself, where every token asks; or its samples, where the first token of each sequence does.
    public func forward(
        query: MatrixView, key: MatrixView, value: MatrixView, into output: MutableMatrixView, batch: PackedBatch,
        queries: PackedBatch, pass: Pass
    ) {
        forward(
            query: query, key: key, value: value, into: output, batch: batch, queries: queries, pass: pass,
            distances: nil)
    }

    /// - Parameter distances: what the tokens' distances add to the scores; nil for nothing.
    func forward(
        query: MatrixView, key: MatrixView, value: MatrixView, into output: MutableMatrixView, batch: PackedBatch,
        queries: PackedBatch, pass: Pass, distances: DistanceScores?
    ) {
        prepare(batch, queries)
        WorkLog.measure(.attention) {
            forEachHead(of: batch, queries, stride: query.stride, output.stride, pass: pass) { head, place in
                var head = head
                let (query, key) = (query.base + place.query, key.base + place.key)
                distances?.add(to: &head, place.sequence, place.head, query: query, key: key)
                kernel_attention(
                    &head, query, key, value.base + place.key, output.base + place.output,
                    logSums.pointer + place.logSum, workspace.pointer)
            }
        }
    }

    /// The gradients of query, key and value, from what `forward` was given, and with the same strides.
    public func backward(
        _ outputGradient: MatrixView, query: MatrixView, key: MatrixView, value: MatrixView,
        queryGradient: MutableMatrixView, keyGradient: MutableMatrixView, valueGradient: MutableMatrixView,
        batch: PackedBatch, queries: PackedBatch, pass: Pass
    ) {
        backward(
            outputGradient, query: query, key: key, value: value, queryGradient: queryGradient,
            keyGradient: keyGradient, valueGradient: valueGradient, batch: batch, queries: queries, pass: pass,
            distances: nil)
    }

    /// - Parameter distances: as in the forward pass, with their gradients.
    func backward(
        _ outputGradient: MatrixView, query: MatrixView, key: MatrixView, value: MatrixView,
        queryGradient: MutableMatrixView, keyGradient: MutableMatrixView, valueGradient: MutableMatrixView,
        batch: PackedBatch, queries: PackedBatch, pass: Pass, distances: DistanceScores?
    ) {
        WorkLog.measure(.attention) {
            forEachHead(of: batch, queries, stride: query.stride, outputGradient.stride, pass: pass) { head, place in
                var head = head
                let (query, key) = (query.base + place.query, key.base + place.key)
                let (queryGradient, keyGradient) = (queryGradient.base + place.query, keyGradient.base + place.key)
                distances?.add(to: &head, place.sequence, place.head, query: query, key: key)
                kernel_attention_backward(
                    &head, query, key, value.base + place.key, outputGradient.base + place.output,
                    logSums.pointer + place.logSum, queryGradient, keyGradient, valueGradient.base + place.key,
                    workspace.pointer)
                distances?.addGradients(
                    of: &head, place.sequence, place.head, query: query, key: key, queryGradient: queryGradient,
                    keyGradient: keyGradient)
            }
        }
    }

    /// Which head of which of the batch's sequences; and where its elements start: in queries, in keys and values, in the
    /// output, and its log sums.
    private struct Place {
        let sequence, head: Int
        let query, key, output, logSum: Int
    }

    /// Calls the body with each head of each sequence, and where it lies.
    private func forEachHead(
        of batch: PackedBatch, _ queries: PackedBatch, stride: Int, _ outputStride: Int, pass: Pass,
        _ body: (kernel_attention_head, Place) -> Void
    ) {
        for (number, (sequence, asking)) in zip(batch.sequences, queries.sequences).enumerated() {
            let length = sequence.rows.count
            var head = kernel_attention_head()
            head.length = length
            head.queries = asking.rows.count
            head.width = headWidth
            head.stride = stride
            head.output_stride = outputStride
            head.window = min(window ?? length, length)
            head.scale = scale
            head.keep_scale = dropout.keepScale
            head.threshold = dropout.isActive(in: pass) ? dropout.threshold : 0
            head.place = dropout.place(slot: sequence.slot, in: pass)
            for index in 0..<headCount {
                head.first_block = UInt32(truncatingIfNeeded: index * length * ((length + 7) / 8))
                let column = index * headWidth
                let asked = asking.rows.lowerBound
                body(
                    head,
                    Place(
                        sequence: number, head: index, query: asked * stride + column,
                        key: sequence.rows.lowerBound * stride + column,
                        output: asked * outputStride + column, logSum: index * queries.rowCount + asked))
            }
        }
    }

    private func prepare(_ batch: PackedBatch, _ queries: PackedBatch) {
        let longest = batch.sequences.map(\.rows.count).max() ?? 0
        logSums.resize(rows: headCount, columns: queries.rowCount)
        workspace.resize(rows: 1, columns: kernel_attention_workspace(longest, headWidth))
    }
}
