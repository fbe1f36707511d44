import LinearAlgebra
import NeuralNetwork

/// One layer of BERT: self-attention and a two-layer perceptron, each followed by a normalised residual sum.
final class BERTLayer {
    let query: AdaptedLinear
    let key: AdaptedLinear
    let value: AdaptedLinear
    let attentionOutput: AdaptedLinear
    let intermediate: AdaptedLinear
    let finalLinear: AdaptedLinear
    private let attention: Attention
    private let attentionNormalization: ResidualNormalization
    private let finalNormalization: ResidualNormalization
    private let hiddenWidth: Int
    private let intermediateWidth: Int

    // What the forward pass leaves for the backward pass.
    private let queries = Matrix(), keys = Matrix(), values = Matrix()  // [T, H]
    private let context = Matrix()  // [T, H]
    private let attentionSum = Matrix()  // [T, H], before its normalisation
    private let attended = Matrix()  // [T, H], after it
    private let preactivation = Matrix()  // [T, F]
    private let activated = Matrix()  // [T, F]
    private let finalSum = Matrix()  // [T, H], before its normalisation
    private let result = Matrix()  // [T, H], after it

    /// Gradients that are needed only while one layer's backward pass runs; one set serves all layers.
    final class Scratch {
        let sum = Matrix(), product = Matrix(), context = Matrix()  // [T, H]
        let queries = Matrix(), keys = Matrix(), values = Matrix()  // [T, H]
        let activated = Matrix()  // [T, F]
        let firstTokenGradient = Matrix()  // [S, H]
    }

    init(
        index: Int, configuration: BERTConfiguration, weights: FrozenWeights, products: RowProducts, dropout: Double?
    ) throws {
        let (hidden, filter) = (configuration.hiddenWidth, configuration.intermediateWidth)
        func linear(_ name: String, outputs: Int, inputs: Int) throws -> AdaptedLinear {
            try AdaptedLinear(
                weights: weights, name: "encoder.layer.\(index).\(name)", outputs: outputs, inputs: inputs,
                products: products)
        }
        func normalization(_ name: String, site: UInt32) throws -> ResidualNormalization {
            try ResidualNormalization(
                weights: weights, name: "encoder.layer.\(index).\(name)", configuration: configuration,
                dropout: Dropout(site: site, probability: dropout ?? configuration.hiddenDropout))
        }
        let firstSite = UInt32(4 * (index + 1))
        query = try linear("attention.self.query", outputs: hidden, inputs: hidden)
        key = try linear("attention.self.key", outputs: hidden, inputs: hidden)
        value = try linear("attention.self.value", outputs: hidden, inputs: hidden)
        attentionOutput = try linear("attention.output.dense", outputs: hidden, inputs: hidden)
        intermediate = try linear("intermediate.dense", outputs: filter, inputs: hidden)
        finalLinear = try linear("output.dense", outputs: hidden, inputs: filter)
        attention = Attention(
            headCount: configuration.headCount, headWidth: hidden / configuration.headCount,
            dropout: Dropout(site: firstSite, probability: dropout ?? configuration.attentionDropout))
        attentionNormalization = try normalization("attention.output.LayerNorm", site: firstSite + 1)
        finalNormalization = try normalization("output.LayerNorm", site: firstSite + 2)
        hiddenWidth = hidden
        intermediateWidth = filter
    }

    /// Everything that an adapter can be attached to, in the order of the model's modules.
    var linears: [AdaptedLinear] { [query, key, value, attentionOutput, intermediate, finalLinear] }
    var isAdapted: Bool { linears.contains { $0.adapter != nil } }
    /// What `forward` gave: [T, H].
    var output: MatrixView { result.view }

    static func rowProductShapes(hidden: Int, filter: Int) -> Set<RowAlignment.Shape> {
        Set(
            [(hidden, hidden), (hidden, filter), (filter, hidden)].flatMap { inputs, outputs in
                [
                    RowAlignment.Shape(inputs: inputs, outputs: outputs, storedTransposed: true),
                    RowAlignment.Shape(inputs: outputs, outputs: inputs, storedTransposed: false),
                ]
            })
    }

    func forward(_ input: MatrixView, batch: PackedBatch, pass: Pass) -> MatrixView {
        for matrix in [queries, keys, values, context, attentionSum, attended, finalSum, result] {
            matrix.resize(rows: batch.rowCount, columns: hiddenWidth)
        }
        for matrix in [preactivation, activated] { matrix.resize(rows: batch.rowCount, columns: intermediateWidth) }

        for (linear, projection) in [(query, queries), (key, keys), (value, values)] {
            linear.forward(input, into: projection.mutableView, batch: batch, pass: pass)
            addBias(linear.bias, to: projection.mutableView)
        }
        attention.forward(
            query: queries.view, key: keys.view, value: values.view, into: context.mutableView, batch: batch, pass: pass
        )
        attentionOutput.forward(context.view, into: attentionSum.mutableView, batch: batch, pass: pass)
        attentionNormalization.forward(
            attentionSum.mutableView, bias: attentionOutput.bias, residual: input, into: attended.mutableView,
            batch: batch, pass: pass)

        intermediate.forward(attended.view, into: preactivation.mutableView, batch: batch, pass: pass)
        GELU.forward(preactivation.mutableView, bias: intermediate.bias, into: activated.mutableView)
        finalLinear.forward(activated.view, into: finalSum.mutableView, batch: batch, pass: pass)
        finalNormalization.forward(
            finalSum.mutableView, bias: finalLinear.bias, residual: attended.view, into: result.mutableView,
            batch: batch, pass: pass)
        return result.view
    }

    /// - Parameter gradient: of the output, [T, H]; replaced by that of the input if one is needed.
    func backward(
        _ gradient: MutableMatrixView, input: MatrixView, needsInputGradient: Bool, batch: PackedBatch, pass: Pass,
        gradients: LaneGradients, scratch: Scratch
    ) {
        for matrix in [
            scratch.sum, scratch.product, scratch.context, scratch.queries, scratch.keys, scratch.values,
        ] { matrix.resize(rows: batch.rowCount, columns: hiddenWidth) }
        scratch.activated.resize(rows: batch.rowCount, columns: intermediateWidth)
        // From the bottom up: what needs a gradient because it, or something below it, is trained.
        let projectionsNeedGradient = needsInputGradient || [query, key, value].contains { $0.adapter != nil }
        let contextNeedsGradient = projectionsNeedGradient || attentionOutput.adapter != nil
        let activatedNeedsGradient = contextNeedsGradient || intermediate.adapter != nil

        finalNormalization.backward(
            gradient.view, sum: finalSum.view, residualGradient: scratch.sum.mutableView,
            productGradient: scratch.product.mutableView, batch: batch)
        finalLinear.backward(
            scratch.product.view, input: activated.view,
            inputGradient: activatedNeedsGradient ? scratch.activated.mutableView : nil, batch: batch, pass: pass,
            gradients: gradients)
        guard activatedNeedsGradient else { return }
        GELU.backward(preactivation.view, gradient: scratch.activated.mutableView)
        intermediate.backward(
            scratch.activated.view, input: attended.view,
            inputGradient: contextNeedsGradient ? scratch.sum.mutableView : nil, keep: 1, batch: batch, pass: pass,
            gradients: gradients)
        guard contextNeedsGradient else { return }
        attentionNormalization.backward(
            scratch.sum.view, sum: attentionSum.view, residualGradient: gradient,
            productGradient: scratch.product.mutableView, batch: batch)
        attentionOutput.backward(
            scratch.product.view, input: context.view,
            inputGradient: projectionsNeedGradient ? scratch.context.mutableView : nil, batch: batch, pass: pass,
            gradients: gradients)
        guard projectionsNeedGradient else { return }
        attention.backward(
            scratch.context.view, query: queries.view, key: keys.view, value: values.view,
            queryGradient: scratch.queries.mutableView, keyGradient: scratch.keys.mutableView,
            valueGradient: scratch.values.mutableView, batch: batch, pass: pass)
        for (linear, projectionGradient) in [(query, scratch.queries), (key, scratch.keys), (value, scratch.values)] {
            linear.backward(
                projectionGradient.view, input: input, inputGradient: needsInputGradient ? gradient : nil, keep: 1,
                batch: batch, pass: pass, gradients: gradients)
        }
    }
}
