import LinearAlgebra
import NeuralNetwork
import Testing

/// Two lanes with sequences of lengths 3, 1 and 5.
let smallBatch = PackedBatch(
    lanes: [
        [sequence(3), sequence(1)],
        [sequence(5)],
    ], firstLane: 0, firstSlot: 0)

func sequence(_ length: Int) -> TokenSequence {
    TokenSequence(tokens: (0..<length).map { Int32($0 % 7) }, types: (0..<length).map { $0 < 2 ? 0 : 1 })
}

private let training = Pass.training(seed: 7, step: 3)
private let undropped = Dropout(site: 1, probability: 0)

private func lossWeights(_ columns: Int, batch: PackedBatch = smallBatch, seed: Int = 9) -> Matrix {
    matrix(batch.rowCount, columns, seed: seed)
}

@Suite("Every adjoint agrees with finite differences")
struct OperationGradientTests {
    @Test("GELU")
    func gelu() {
        let values = matrix(6, 5, scale: 3)
        let bias = matrix(1, 5, scale: 0.1, seed: 1)
        let weights = matrix(6, 5, seed: 2)
        let (scratch, output) = (Matrix(rows: 6, columns: 5), Matrix(rows: 6, columns: 5))
        func loss() -> Double {
            scratch.pointer.update(from: values.pointer, count: 30)
            Activation.gelu.forward(scratch.mutableView, bias: bias.pointer, into: output.mutableView, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradient = Matrix(rows: 6, columns: 5, elements: weights.elements)
        Activation.gelu.backward(derivative: scratch.view, gradient: gradient.mutableView)
        expectGradient(gradient.elements, of: values.pointer, loss: loss, "GELU")
    }

    @Test("tanh")
    func tanh() {
        let values = matrix(4, 3, scale: 2)
        let bias = matrix(1, 3, scale: 0.1, seed: 1)
        let weights = matrix(4, 3, seed: 2)
        let output = Matrix(rows: 4, columns: 3)
        func loss() -> Double {
            output.pointer.update(from: values.pointer, count: 12)
            HyperbolicTangent.forward(output.mutableView, bias: bias.pointer)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradient = Matrix(rows: 4, columns: 3, elements: weights.elements)
        HyperbolicTangent.backward(output: output.view, gradient: gradient.mutableView)
        expectGradient(gradient.elements, of: values.pointer, loss: loss, "tanh")
    }

    @Test("layer norm of a dropped, biased product and a residual", arguments: [0.0, 0.3])
    func residualNormalization(probability: Double) {
        let columns = 21
        let rows = smallBatch.rowCount
        let product = matrix(rows, columns)
        let residual = matrix(rows, columns, seed: 1)
        var layout = ParameterLayout()
        let blocks = ["gain", "offset"].map { layout.appendVector(name: $0, count: columns) }
        let parameters = matrix(1, layout.elementCount, seed: 2)
        let tensors = blocks.map {
            NetworkTensor(values: UnsafePointer(parameters.pointer + $0.elements.lowerBound), block: $0)
        }
        let bias = matrix(1, columns, seed: 4)
        let weights = lossWeights(columns)
        let operation = ResidualNormalization(
            gain: tensors[0], offset: tensors[1], columns: columns, epsilon: 1e-5,
            dropout: Dropout(site: 2, probability: probability))
        let (sum, output) = (Matrix(rows: rows, columns: columns), Matrix(rows: rows, columns: columns))
        func loss() -> Double {
            sum.pointer.update(from: product.pointer, count: rows * columns)
            operation.forward(
                sum.mutableView, bias: bias.pointer, residual: residual.view, into: output.mutableView,
                batch: smallBatch, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let residualGradient = Matrix(rows: rows, columns: columns)
        let productGradient = Matrix(rows: rows, columns: columns)
        let gradients = LaneGradients(tree: LaneTree(laneCount: 2), lanes: 0..<2, layout: layout)
        operation.backward(
            weights.view, sum: sum.view, residualGradient: residualGradient.mutableView,
            productGradient: productGradient.mutableView, batch: smallBatch, gradients: gradients)
        expectGradient(residualGradient.elements, of: residual.pointer, loss: loss, "residual")
        expectGradient(productGradient.elements, of: product.pointer, loss: loss, "product")
        let tensorGradients = Array(
            UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
        expectGradient(tensorGradients, of: parameters.pointer, loss: loss, "gain and offset")
    }

    @Test("embeddings that are trained, dropped")
    func embedding() {
        let columns = 6
        let counts = [smallBatch.tokens, smallBatch.positions, smallBatch.types].map { Int($0.max() ?? 0) + 2 }
        var layout = ParameterLayout()
        let blocks = counts.enumerated().map { layout.appendDense(name: "\($0)", rows: $1, columns: columns) }
        let parameters = matrix(1, layout.elementCount, seed: 6)
        let tables = blocks.map {
            NetworkTensor(
                shape: $0.shape, values: UnsafePointer(parameters.pointer + $0.elements.lowerBound), block: $0)
        }
        let embedding = Embedding([
            .init(tables[0], .tokens), .init(tables[1], .positions(offset: 0)), .init(tables[2], .segments),
        ])
        let (rows, dropout) = (DroppedRows(), Dropout(site: 0, probability: 0.3))
        let weights = lossWeights(columns)
        let output = Matrix(rows: smallBatch.rowCount, columns: columns)
        func loss() -> Double {
            embedding.forward(smallBatch, into: output.mutableView)
            rows.apply(dropout, to: output.mutableView, batch: smallBatch, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradient = Matrix(rows: smallBatch.rowCount, columns: columns, elements: weights.elements)
        let gradients = LaneGradients(tree: LaneTree(laneCount: 2), lanes: 0..<2, layout: layout)
        rows.applyBackward(dropout, to: gradient.mutableView)
        embedding.backward(gradient.view, batch: smallBatch, gradients: gradients)
        let tableGradients = Array(UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
        expectGradient(tableGradients, of: parameters.pointer, loss: loss, "tables")
    }

    @Test(
        "attention over sequences of different lengths, asked by every token or by the first of each",
        arguments: [0.0, 0.25], [4, 20])
    func attention(probability: Double, headWidth: Int) {
        let columns = 2 * headWidth
        let samples = smallBatch.samples()
        expectAttentionGradients(
            probability, headWidth, queries: smallBatch, weights: lossWeights(columns))
        expectAttentionGradients(
            probability, headWidth, queries: samples, weights: matrix(samples.rowCount, columns, seed: 9))
    }

    /// - Parameter weights: of the loss, a row for each query.
    private func expectAttentionGradients(
        _ probability: Double, _ headWidth: Int, queries: PackedBatch, weights: Matrix
    ) {
        let columns = weights.columns
        let query = matrix(queries.rowCount, columns)
        let key = matrix(smallBatch.rowCount, columns, scale: 2, seed: 1)
        let value = matrix(smallBatch.rowCount, columns, seed: 2)
        let operation = Attention(
            headCount: 2, headWidth: headWidth, dropout: Dropout(site: 3, probability: probability))
        let output = Matrix(rows: queries.rowCount, columns: columns)
        func loss() -> Double {
            operation.forward(
                query: query.view, key: key.view, value: value.view, into: output.mutableView, batch: smallBatch,
                queries: queries, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradients = [query, key, value].map { Matrix(rows: $0.rows, columns: columns) }
        operation.backward(
            weights.view, query: query.view, key: key.view, value: value.view,
            queryGradient: gradients[0].mutableView, keyGradient: gradients[1].mutableView,
            valueGradient: gradients[2].mutableView, batch: smallBatch, queries: queries, pass: training)
        expectGradient(gradients[0].elements, of: query.pointer, loss: loss, "query")
        expectGradient(gradients[1].elements, of: key.pointer, loss: loss, "key")
        expectGradient(gradients[2].elements, of: value.pointer, loss: loss, "value")
    }

    @Test("a linear layer with an adapter: triplets and input", arguments: [0.0, 0.3])
    func adaptedLinear(probability: Double) {
        let (inputs, outputs, rank) = (10, 7, 3)
        let weight = matrix(outputs, inputs)
        let bias = matrix(1, outputs)
        let input = matrix(smallBatch.rowCount, inputs, seed: 1)
        let weights = lossWeights(outputs)
        var layout = ParameterLayout()
        let block = layout.appendTriplets(name: "linear", count: rank, outputs: outputs, inputs: inputs)
        let parameters = matrix(1, layout.elementCount, seed: 5)
        let layer = AdaptedLinear(
            path: "linear", weight: .plain(weight.view), bias: bias.pointer)
        layer.adapter =
            LinearAdapter(
                block: block, parameters: parameters.pointer, scale: 0.7,
                dropout: Dropout(site: 4, probability: probability))
        let output = Matrix(rows: smallBatch.rowCount, columns: outputs)
        func loss() -> Double {
            layer.forward(input.view, into: output.mutableView, batch: smallBatch, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradients = LaneGradients(tree: LaneTree(laneCount: 2), lanes: 0..<2, layout: layout)
        let inputGradient = Matrix(rows: smallBatch.rowCount, columns: inputs)
        layer.backward(
            weights.view, input: input.view, inputGradient: inputGradient.mutableView, batch: smallBatch,
            pass: training, gradients: gradients)
        let parameterGradient = Array(
            UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
        expectGradient(parameterGradient, of: parameters.pointer, loss: loss, "triplets")
        expectGradient(inputGradient.elements, of: input.pointer, loss: loss, "input")
    }

    @Test("a head that is trained in full", arguments: [0.0, 0.3])
    func denseHead(probability: Double) {
        let (features, classes) = (9, 3)
        let samples = smallBatch.samples()
        var layout = ParameterLayout()
        let weight = layout.appendDense(name: "weight", rows: classes, columns: features)
        let bias = layout.appendDense(name: "bias", rows: 1, columns: classes)
        let parameters = matrix(1, layout.elementCount, seed: 5)
        let input = matrix(samples.rowCount, features)
        let weights = lossWeights(classes, batch: samples)
        let head = DenseHead(
            weight: weight, bias: bias, parameters: parameters.pointer,
            dropout: Dropout(site: 5, probability: probability))
        let logits = Matrix(rows: samples.rowCount, columns: classes)
        func loss() -> Double {
            head.forward(input.view, into: logits.mutableView, batch: samples, pass: training)
            return weightedSum(weights, logits.view)
        }
        _ = loss()
        let gradients = LaneGradients(tree: LaneTree(laneCount: 2), lanes: 0..<2, layout: layout)
        let inputGradient = Matrix(rows: samples.rowCount, columns: features)
        head.backward(
            weights.view, inputGradient: inputGradient.mutableView, batch: samples, gradients: gradients)
        let parameterGradient = Array(
            UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
        expectGradient(parameterGradient, of: parameters.pointer, loss: loss, "head")
        expectGradient(inputGradient.elements, of: input.pointer, loss: loss, "input")
    }

    @Test("cross-entropy and mean squared error")
    func losses() {
        let logits = matrix(1, 4, scale: 3)
        let gradient = Matrix(rows: 1, columns: 4)
        func evaluate(_ loss: Loss, _ target: Float) -> Double {
            loss.evaluate(
                logits: logits.view.row(0), target: target, sampleCount: 1, gradient: gradient.mutableView.row(0))
        }
        for target in 0..<4 {
            _ = evaluate(.crossEntropy, Float(target))
            expectGradient(
                gradient.elements, of: logits.pointer, loss: { evaluate(.crossEntropy, Float(target)) },
                "cross-entropy")
        }
        let prediction = Matrix(rows: 1, columns: 1, elements: [0.3])
        let derivative = Matrix(rows: 1, columns: 1)
        func squaredError() -> Double {
            Loss.meanSquaredError.evaluate(
                logits: prediction.view.row(0), target: 1.2, sampleCount: 1, gradient: derivative.mutableView.row(0))
        }
        #expect(abs(squaredError() - 0.81) < 1e-6)
        let analytic = derivative.elements
        expectGradient(analytic, of: prediction.pointer, loss: squaredError, "mean squared error")
    }
}
