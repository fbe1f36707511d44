import FixtureFiles
import LinearAlgebra
import NeuralNetwork
import Testing

/// PyTorch's values in double precision; see Tests/goldens/make_goldens.py.
private struct ActivationGolden: Decodable {
    struct Function: Decodable {
        let output: [Double]
        let derivative: [Double]
    }

    struct LayerNorm: Decodable {
        let epsilon: Double
        let input, upstream, output, dInput: [[Double]]
        let weight, bias, dWeight, dBias: [Double]
    }

    let x: [Double]
    let gelu, tanh: Function
    let layerNorm: LayerNorm
}

private struct AdamWGolden: Decodable {
    struct Run: Decodable {
        let weightDecay: Double
        let parametersAfterEachStep: [[[Double]]]
    }

    let beta1, beta2, epsilon: Double
    let learningRates: [Double]
    let start: [[Double]]
    let gradients: [[[Double]]]
    let runs: [Run]
}

private func row(_ values: [Double]) -> Matrix {
    Matrix(rows: 1, columns: values.count, elements: values.map(Float.init))
}

@Suite("The kernels agree with PyTorch in double precision")
struct GoldenTests {
    private let activations: ActivationGolden

    init() throws {
        activations = try Fixture.json("activations-golden.json")
    }

    @Test("GELU and its derivative")
    func gelu() {
        let count = activations.x.count
        let (values, output, gradient) = (row(activations.x), row(activations.x), Matrix(rows: 1, columns: count))
        let bias = Matrix(rows: 1, columns: count)
        Activation.gelu.forward(
            values.mutableView, bias: bias.pointer, into: output.mutableView, pass: .training(seed: 0, step: 0))
        for index in 0..<count { gradient.pointer[index] = 1 }
        Activation.gelu.backward(derivative: values.view, gradient: gradient.mutableView)
        for (index, x) in activations.x.enumerated() {
            // The error function is good to 1.2e-7, which x/2 multiplies.
            #expect(abs(Double(output.pointer[index]) - activations.gelu.output[index]) < 2e-7 * max(1, abs(x)))
            #expect(abs(Double(gradient.pointer[index]) - activations.gelu.derivative[index]) < 4e-7)
        }
    }

    @Test("tanh and its derivative")
    func tanh() {
        let count = activations.x.count
        let (values, gradient) = (row(activations.x), Matrix(rows: 1, columns: count))
        let bias = Matrix(rows: 1, columns: count)
        HyperbolicTangent.forward(values.mutableView, bias: bias.pointer)
        withExtendedLifetime(bias) {}
        for index in 0..<count { gradient.pointer[index] = 1 }
        HyperbolicTangent.backward(output: values.view, gradient: gradient.mutableView)
        for index in 0..<count {
            #expect(abs(Double(values.pointer[index]) - activations.tanh.output[index]) < 2e-7)
            #expect(abs(Double(gradient.pointer[index]) - activations.tanh.derivative[index]) < 4e-7)
        }
    }

    @Test("layer norm and its gradient, constant rows included")
    func layerNorm() {
        let golden = activations.layerNorm
        let (rows, columns) = (golden.input.count, golden.weight.count)
        func matrix(_ values: [[Double]]) -> Matrix {
            Matrix(rows: rows, columns: columns, elements: values.flatMap { $0.map(Float.init) })
        }
        let batch = PackedBatch(
            lanes: [[sequence(rows)]], firstLane: 0, firstSlot: 0)
        let (gain, offset) = (row(golden.weight), row(golden.bias))
        var layout = ParameterLayout()
        let blocks = ["gain", "offset"].map { layout.appendVector(name: $0, count: columns) }
        let operation = ResidualNormalization(
            gain: NetworkTensor(values: gain.pointer, block: blocks[0]),
            offset: NetworkTensor(values: offset.pointer, block: blocks[1]), columns: columns,
            epsilon: Float(golden.epsilon),
            dropout: Dropout(site: 0, probability: 0))
        let (sum, output, gradient) = (matrix(golden.input), matrix(golden.input), matrix(golden.input))
        operation.forward(
            sum.mutableView, bias: nil, residual: nil, into: output.mutableView, batch: batch, pass: .inference)
        let upstream = matrix(golden.upstream)
        defer { withExtendedLifetime((gain, offset, upstream)) {} }
        let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: layout)
        operation.backward(
            upstream.view, sum: sum.view, residualGradient: gradient.mutableView, productGradient: nil,
            batch: batch, gradients: gradients)
        for (index, expected) in (golden.dWeight + golden.dBias).enumerated() {
            #expect(abs(Double(gradients.sum(ofNode: 0)[index]) - expected) < 1e-5 * max(1, abs(expected)))
        }
        for r in 0..<rows {
            let largest = golden.dInput[r].map(abs).max() ?? 0
            for c in 0..<columns {
                #expect(abs(Double(output[r, c]) - golden.output[r][c]) < 5e-6)
                #expect(abs(Double(gradient[r, c]) - golden.dInput[r][c]) < 1e-5 * max(1, largest))
            }
        }
    }

    @Test("twenty steps of AdamW, with and without weight decay, of tiny, huge and late gradients")
    func adamW() throws {
        let golden: AdamWGolden = try Fixture.json("adamw-golden.json")
        for run in golden.runs {
            let values = row(golden.start.flatMap(\.self))
            let count = values.columns
            let (first, second) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
            let optimizer = AdamW(
                beta1: golden.beta1, beta2: golden.beta2, epsilon: golden.epsilon, weightDecay: run.weightDecay)
            for (step, gradient) in golden.gradients.enumerated() {
                let gradient = row(gradient.flatMap(\.self))
                optimizer.update(step: step, learningRate: golden.learningRates[step], gradientFactor: 1).apply(
                    to: values.pointer, gradient: gradient.pointer, firstMoment: first.pointer,
                    secondMoment: second.pointer, count: count)
                withExtendedLifetime((gradient, first, second)) {}
                let expected = run.parametersAfterEachStep[step].flatMap(\.self)
                for (found, parameter) in zip(values.elements, expected) {
                    // A few units of single precision for each step.
                    #expect(abs(Double(found) - parameter) < 2e-6 * max(1, abs(parameter)))
                }
            }
        }
    }
}
