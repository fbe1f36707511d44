internal import CKernels
internal import LinearAlgebra

// The operations of networks of tokens. Each wraps a layer that knows the arithmetic.

/// A linear layer. Its bias is added here, or by the operation that reads the product.
public final class LinearOperation: Operation {
    public let layer: AdaptedLinear
    private let trace: AdaptedLinear.Trace
    private var addsBias = true

    public init(_ layer: AdaptedLinear) {
        self.layer = layer
        trace = layer.makeTrace()
    }

    /// From now on the product is given without the bias.
    func leaveBiasToReader() -> AdaptedLinear {
        addsBias = false
        return layer
    }

    public var isTrained: Bool { layer.isTrained }
    public var backwardReads: BackwardReads { BackwardReads(inputs: isTrained ? [0] : []) }
    public func addsToGradient(ofInput input: Int) -> Bool { true }

    public func forward(_ operands: ForwardOperands) {
        let output = operands.output
        layer.forward(operands.input(0), into: output, batch: operands.batch, pass: operands.pass, trace: trace)
        if addsBias { addBias(layer.bias, to: output) }
    }

    public func backward(_ operands: BackwardOperands) {
        layer.backward(
            operands.outputGradient.view, input: operands.input(0), inputGradient: operands.inputGradient(0),
            keep: operands.keep(0), batch: operands.batch, pass: operands.pass, gradients: operands.gradients,
            trace: trace)
    }
}

/// `LayerNorm(residual + dropout(product + bias))`: the product is the first input, the residual, if there is one, the second.
final class NormalizationOperation: Operation {
    private let layer: ResidualNormalization
    private let hasResidual: Bool
    /// Whose bias it adds; nil where it reads no linear layer's product.
    private let linear: AdaptedLinear?
    private let unread = Matrix()  // [T, columns], a gradient that the kernel gives and nobody needs

    init(_ layer: ResidualNormalization, hasResidual: Bool, biasOf linear: AdaptedLinear?) {
        self.layer = layer
        self.hasResidual = hasResidual
        self.linear = linear
    }

    var isTrained: Bool { layer.isTrained }
    var placement: Placement { readsSum && linear == nil ? .own : .replacingInput }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0]) }
    /// Whether what it reads is what it normalises, so that there is one gradient to give.
    private var readsSum: Bool { !hasResidual && !layer.drops }
    func addsToGradient(ofInput input: Int) -> Bool { readsSum }

    func forward(_ operands: ForwardOperands) {
        layer.forward(
            operands.replacedInput, bias: linear?.bias, residual: hasResidual ? operands.input(1) : nil,
            into: operands.output, batch: operands.batch, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        let gradient = operands.outputGradient
        let sumGradient = readsSum ? operands.inputGradient(0) : hasResidual ? operands.inputGradient(1) : nil
        layer.backward(
            gradient.view, sum: operands.input(0), residualGradient: sumGradient ?? unread.resized(like: gradient.view),
            keep: readsSum ? operands.keep(0) : 0, productGradient: readsSum ? nil : operands.inputGradient(0),
            batch: operands.batch, gradients: operands.gradients)
    }
}

/// Dropout that no other operation takes along.
final class DropoutOperation: Operation {
    private let dropout: Dropout
    private let rows = DroppedRows()

    init(_ dropout: Dropout) {
        self.dropout = dropout
    }

    var placement: Placement { .inPlace }

    func forward(_ operands: ForwardOperands) {
        rows.apply(dropout, to: operands.output, batch: operands.batch, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) { rows.applyBackward(dropout, to: operands.outputGradient) }
}

/// Multi-head attention within each sequence: of queries, keys and values.
final class AttentionOperation: Operation {
    private let layer: Attention
    private let unread = [Matrix(), Matrix(), Matrix()]  // gradients that the kernel gives and nobody needs

    init(_ layer: Attention) {
        self.layer = layer
    }

    /// A query asks for itself alone; what it hears comes from all rows.
    func isRowwise(input: Int) -> Bool { input == 0 }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0, 1, 2]) }

    func forward(_ operands: ForwardOperands) {
        layer.forward(
            query: operands.input(0), key: operands.input(1), value: operands.input(2), into: operands.output,
            batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        func gradient(_ number: Int) -> MutableMatrixView {
            operands.inputGradient(number) ?? unread[number].resized(like: operands.input(number))
        }
        layer.backward(
            operands.outputGradient.view, query: operands.input(0), key: operands.input(1), value: operands.input(2),
            queryGradient: gradient(0), keyGradient: gradient(1), valueGradient: gradient(2),
            batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass)
    }
}

/// The sum of the embeddings of each token.
final class EmbeddingOperation: Operation {
    private let layer: Embedding

    init(_ layer: Embedding) {
        self.layer = layer
    }

    var isTrained: Bool { layer.isTrained }

    func forward(_ operands: ForwardOperands) { layer.forward(operands.batch, into: operands.output) }

    func backward(_ operands: BackwardOperands) {
        layer.backward(operands.outputGradient.view, batch: operands.batch, gradients: operands.gradients)
    }
}

/// The last layer of a head that is trained, on a row for each sample: `dropout(x)·Wᵀ + b`.
final class HeadOperation: Operation {
    private let layer: DenseHead

    init(_ layer: DenseHead) {
        self.layer = layer
    }

    var isTrained: Bool { layer.isTrained }

    func forward(_ operands: ForwardOperands) {
        layer.forward(operands.input(0), into: operands.output, batch: operands.batch, pass: operands.pass)
    }

    func backward(_ operands: BackwardOperands) {
        layer.backward(
            operands.outputGradient.view, inputGradient: operands.inputGradient(0), batch: operands.batch,
            gradients: operands.gradients)
    }
}

extension NetworkDescription {
    /// `dropout(x)·Wᵀ + b`, in double precision, of a row for each sample.
    public func head(
        _ x: NetworkValue, weight: NetworkTensor, bias: NetworkTensor?, dropout: Dropout
    ) -> NetworkValue {
        append(
            HeadOperation(DenseHead(weight: weight, bias: bias, dropout: dropout)), reading: [x],
            columns: weight.shape[0])
    }

    /// `layer(x)`, with its bias.
    public func linear(_ x: NetworkValue, _ layer: AdaptedLinear) -> NetworkValue {
        append(LinearOperation(layer), reading: [x], columns: layer.outputs)
    }

    /// `LayerNorm(residual + dropout(x))`.
    public func normalized(
        _ x: NetworkValue, plus residual: NetworkValue? = nil, _ layer: ResidualNormalization
    ) -> NetworkValue {
        append(
            NormalizationOperation(layer, hasResidual: residual != nil, biasOf: takeBias(of: x)),
            reading: [x] + (residual.map { [$0] } ?? []),
            columns: columns(of: x))
    }

    /// dropout(x).
    public func dropped(_ x: NetworkValue, _ dropout: Dropout) -> NetworkValue {
        append(DropoutOperation(dropout), reading: [x], columns: columns(of: x))
    }

    /// `dropout(softmax(Q·Kᵀ/√d))·V`, head by head.
    public func attention(
        query: NetworkValue, key: NetworkValue, value: NetworkValue, _ layer: Attention
    ) -> NetworkValue {
        append(AttentionOperation(layer), reading: [query, key, value], columns: columns(of: query))
    }

    /// The same of projections of x.
    public func attention(
        of x: NetworkValue, query: AdaptedLinear, key: AdaptedLinear, value: AdaptedLinear, _ layer: Attention
    ) -> NetworkValue {
        // Backwards, the gradient of x sums that of the query, the key and the value in this order.
        let value = linear(x, value)
        let key = linear(x, key)
        return attention(query: linear(x, query), key: key, value: value, layer)
    }

    /// The embeddings of the rows.
    public func embedded(_ layer: Embedding, rows: RowSet = .tokens) -> NetworkValue {
        append(EmbeddingOperation(layer), rows: rows, columns: layer.columns)
    }

    /// The first row of each sequence.
    public func first(_ x: NetworkValue) -> NetworkValue {
        append(FirstRows(), reading: [x], rows: .samples, columns: columns(of: x))
    }
}

extension Matrix {
    func resized(like view: MatrixView) -> MutableMatrixView {
        resize(rows: view.rows, columns: view.columns)
        return mutableView
    }
}
