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

    // What the forward pass leaves for the backward pass. O is T, or S in a layer that gives the first tokens alone.
    private let firstTokens = Matrix()  // [S, H], of the input
    private let keys = Matrix(), values = Matrix()  // [T, H]
    private let queries = Matrix(), context = Matrix()  // [O, H]
    private let attentionSum = Matrix()  // [O, H], before its normalisation
    private let attended = Matrix()  // [O, H], after it
    private let preactivation = Matrix()  // [O, F]; after the activation, its derivative
    private let activated = Matrix()  // [O, F]
    private let finalSum = Matrix()  // [O, H], before its normalisation
    private let result = Matrix()  // [O, H], after it

    /// Gradients that are needed only while one layer's backward pass runs; one set serves all layers.
    final class Scratch {
        let keys = Matrix(), values = Matrix()  // [T, H]
        let sum = Matrix(), product = Matrix(), context = Matrix(), queries = Matrix()  // [O, H]
        let activated = Matrix()  // [O, F]
    }

    init(
        index: Int, configuration: BERTConfiguration, tensors: TensorSource, dropout: Double?
    ) throws {
        let (hidden, filter) = (configuration.hiddenWidth, configuration.intermediateWidth)
        func linear(_ name: String, outputs: Int, inputs: Int) throws -> AdaptedLinear {
            try tensors.linear("encoder.layer.\(index).\(name)", outputs: outputs, inputs: inputs)
        }
        func normalization(_ name: String, site: UInt32) throws -> ResidualNormalization {
            try tensors.normalization(
                "encoder.layer.\(index).\(name)", configuration,
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
    var isTrained: Bool { linears.contains(where: \.isTrained) }
    /// What `forward` gave: [O, H].
    var output: MatrixView { result.view }

    /// - Parameters:
    ///   - input: [T, H].
    ///   - samples: where only the first token of each sequence is read of what this layer gives; else nil.
    /// - Returns: [T, H], or [S, H].
    func forward(_ input: MatrixView, batch: PackedBatch, samples: PackedBatch? = nil, pass: Pass) -> MatrixView {
        let outputs = samples ?? batch
        for matrix in [keys, values] { matrix.resize(rows: batch.rowCount, columns: hiddenWidth) }
        for matrix in [queries, context, attentionSum, attended, finalSum, result] {
            matrix.resize(rows: outputs.rowCount, columns: hiddenWidth)
        }
        for matrix in [preactivation, activated] { matrix.resize(rows: outputs.rowCount, columns: intermediateWidth) }
        let asking = askingRows(of: input, batch: batch, samples: samples)

        for (linear, input, projection, rows) in [
            (query, asking, queries, outputs), (key, input, keys, batch), (value, input, values, batch),
        ] {
            linear.forward(input, into: projection.mutableView, batch: rows, pass: pass)
            addBias(linear.bias, to: projection.mutableView)
        }
        attention.forward(
            query: queries.view, key: keys.view, value: values.view, into: context.mutableView, batch: batch,
            queries: outputs, pass: pass)
        attentionOutput.forward(context.view, into: attentionSum.mutableView, batch: outputs, pass: pass)
        attentionNormalization.forward(
            attentionSum.mutableView, bias: attentionOutput.bias, residual: asking, into: attended.mutableView,
            batch: outputs, pass: pass)

        intermediate.forward(attended.view, into: preactivation.mutableView, batch: outputs, pass: pass)
        GELU.forward(preactivation.mutableView, bias: intermediate.bias, into: activated.mutableView, pass: pass)
        finalLinear.forward(activated.view, into: finalSum.mutableView, batch: outputs, pass: pass)
        finalNormalization.forward(
            finalSum.mutableView, bias: finalLinear.bias, residual: attended.view, into: result.mutableView,
            batch: outputs, pass: pass)
        return result.view
    }

    /// The rows of the input whose tokens ask: all of them, or copies of the first tokens' rows.
    private func askingRows(of input: MatrixView, batch: PackedBatch, samples: PackedBatch?) -> MatrixView {
        guard let samples else { return input }
        firstTokens.resize(rows: samples.rowCount, columns: hiddenWidth)
        firstTokens.mutableView.clear()
        for (sequence, sample) in zip(batch.sequences, samples.sequences) {
            firstTokens.mutableView.rowStart(sample.rows.lowerBound)
                .update(from: input.rowStart(sequence.rows.lowerBound), count: hiddenWidth)
        }
        return firstTokens.view
    }

    /// - Parameters:
    ///   - gradient: of the output, [O, H]; replaced.
    ///   - input: what `forward` was given.
    ///   - inputGradient: [T, H], or nil where nothing below needs it; replaced. Where every token's output is read, it is
    ///     `gradient` itself.
    ///   - samples: what `forward` was given.
    func backward(
        _ gradient: MutableMatrixView, input: MatrixView, inputGradient: MutableMatrixView?, batch: PackedBatch,
        samples: PackedBatch? = nil, pass: Pass, gradients: LaneGradients, scratch: Scratch
    ) {
        let outputs = samples ?? batch
        for matrix in [scratch.keys, scratch.values] { matrix.resize(rows: batch.rowCount, columns: hiddenWidth) }
        for matrix in [scratch.sum, scratch.product, scratch.context, scratch.queries] {
            matrix.resize(rows: outputs.rowCount, columns: hiddenWidth)
        }
        scratch.activated.resize(rows: outputs.rowCount, columns: intermediateWidth)
        // From the bottom up: what needs a gradient because it, or something below it, is trained.
        let projectionsNeedGradient = inputGradient != nil || [query, key, value].contains(where: \.isTrained)
        let contextNeedsGradient = projectionsNeedGradient || attentionOutput.isTrained
        let activatedNeedsGradient = contextNeedsGradient || intermediate.isTrained

        finalNormalization.backward(
            gradient.view, sum: finalSum.view, residualGradient: scratch.sum.mutableView,
            productGradient: scratch.product.mutableView, batch: outputs, gradients: gradients)
        finalLinear.backward(
            scratch.product.view, input: activated.view,
            inputGradient: activatedNeedsGradient ? scratch.activated.mutableView : nil, batch: outputs, pass: pass,
            gradients: gradients)
        guard activatedNeedsGradient else { return }
        GELU.backward(derivative: preactivation.view, gradient: scratch.activated.mutableView)
        intermediate.backward(
            scratch.activated.view, input: attended.view,
            inputGradient: contextNeedsGradient ? scratch.sum.mutableView : nil, keep: 1, batch: outputs, pass: pass,
            gradients: gradients)
        guard contextNeedsGradient else { return }
        attentionNormalization.backward(
            scratch.sum.view, sum: attentionSum.view, residualGradient: gradient,
            productGradient: scratch.product.mutableView, batch: outputs, gradients: gradients)
        attentionOutput.backward(
            scratch.product.view, input: context.view,
            inputGradient: projectionsNeedGradient ? scratch.context.mutableView : nil, batch: outputs, pass: pass,
            gradients: gradients)
        guard projectionsNeedGradient else { return }
        attention.backward(
            scratch.context.view, query: queries.view, key: keys.view, value: values.view,
            queryGradient: scratch.queries.mutableView, keyGradient: scratch.keys.mutableView,
            valueGradient: scratch.values.mutableView, batch: batch, queries: outputs, pass: pass)
        // The asking rows' gradient is that of the residual, and through the query.
        query.backward(
            scratch.queries.view, input: samples == nil ? input : firstTokens.view,
            inputGradient: inputGradient == nil ? nil : gradient, keep: 1, batch: outputs, pass: pass,
            gradients: gradients)
        key.backward(
            scratch.keys.view, input: input, inputGradient: inputGradient, keep: samples == nil ? 1 : 0, batch: batch,
            pass: pass, gradients: gradients)
        value.backward(
            scratch.values.view, input: input, inputGradient: inputGradient, keep: 1, batch: batch, pass: pass,
            gradients: gradients)
        guard let samples, let inputGradient else { return }
        for (sequence, sample) in zip(batch.sequences, samples.sequences) {
            add(gradient.view[rows: sample.rows], to: inputGradient[rows: sequence.rows.prefix(1)])
        }
    }
}
