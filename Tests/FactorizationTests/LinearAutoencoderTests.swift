import Factorization
import LinearAlgebra
import NeuralNetwork
import Testing

@Suite("Linear autoencoder")
struct LinearAutoencoderTests {
    private let autoencoder = LinearAutoencoder(inputs: 7, rank: 3)
    private let tree = LaneTree(laneCount: 3)
    private let lanes: [Matrix]

    init() {
        let numbers = randomMatrix(1, autoencoder.layout.elementCount, seed: 5)
        for index in 0..<numbers.count { autoencoder.parameters.pointer[index] = Float(numbers.pointer[index]) * 0.4 }
        lanes = [2, 1, 3].map { rows in
            Matrix(rows: rows, columns: 7, elements: randomMatrix(rows, 7, seed: 6).elements.map { Float($0) })
        }
    }

    /// Σ ‖X − X·C·D‖² / 6, by its definition in double precision.
    private var loss: Double {
        func doubles(_ view: MatrixView) -> DoubleMatrix {
            DoubleMatrix(
                rows: view.rows, columns: view.columns,
                elements: (0..<view.rows).flatMap { view.row($0).map(Double.init) })
        }
        return lanes.reduce(0) { sum, lane in
            let input = doubles(lane.view)
            let output = product(
                product(input, doubles(autoencoder.encoderView.view)), doubles(autoencoder.decoderView.view))
            return sum + squaredDistance(output, input) / 6
        }
    }

    @Test("its loss and gradients are those of the definition")
    func gradients() {
        let gradients = LaneGradients(tree: tree, lanes: 0..<3, layout: autoencoder.layout)
        let losses = autoencoder.computeGradients(lanes, batchSize: 6, gradients: gradients)
        // Six rows of seven numbers below 5 in single precision.
        #expect(abs(tree.total(losses) / 6 - loss) < 1e-5 * loss)
        let sum = gradients.sum(ofNode: 0)
        #expect(gradients.nodes.count == 1)
        let step: Float = 1e-2
        for index in 0..<autoencoder.layout.elementCount {
            let value = autoencoder.parameters.pointer[index]
            autoencoder.parameters.pointer[index] = value + step
            let above = loss
            autoencoder.parameters.pointer[index] = value - step
            let below = loss
            autoencoder.parameters.pointer[index] = value
            // The loss is a quadratic in each parameter, so that central differences are exact but for rounding: the step is
            // known to 1e-5 of itself, the gradient to 1e-6.
            let difference = (above - below) / Double((value + step) - (value - step))
            #expect(abs(difference - Double(sum[index])) < 1e-4 * max(1, abs(difference)))
        }
    }
}
