public import LinearAlgebra
public import NeuralNetwork

/// `X ≈ X · C · D`: a linear autoencoder, whose best parameters span what the leading right singular vectors span.
public final class LinearAutoencoder {
    public let inputs: Int
    public let rank: Int
    public let layout: ParameterLayout
    /// [inputs, rank].
    public let encoder: ParameterLayout.Block
    /// [rank, inputs].
    public let decoder: ParameterLayout.Block
    /// All parameters, laid out by `layout`.
    public let parameters: Matrix

    /// The parameters are zeros.
    public init(inputs: Int, rank: Int) {
        self.inputs = inputs
        self.rank = rank
        var layout = ParameterLayout()
        encoder = layout.appendDense(name: "C", rows: inputs, columns: rank)
        decoder = layout.appendDense(name: "D", rows: rank, columns: inputs)
        self.layout = layout
        parameters = Matrix(rows: 1, columns: layout.elementCount)
    }

    /// C, [inputs, rank].
    public var encoderView: MutableMatrixView {
        MutableMatrixView(base: parameters.pointer + encoder.elements.lowerBound, rows: inputs, columns: rank)
    }

    /// D, [rank, inputs].
    public var decoderView: MutableMatrixView {
        MutableMatrixView(base: parameters.pointer + decoder.elements.lowerBound, rows: rank, columns: inputs)
    }

    /// What the forward pass of a lane leaves for the gradients.
    private struct Lane {
        let input: Matrix  // [rows, inputs]
        let code: Matrix  // H = X·C, [rows, rank]
        let error: Matrix  // E = X − H·D, [rows, inputs]
        let codeGradient: Matrix  // [rows, rank]
    }

    /// Sets the gradients of `Σ ‖X − X·C·D‖² / batchSize`, each lane's by products of its own.
    ///
    /// - Parameter lanes: the rows of each of this process's lanes, [rows of the lane, inputs].
    /// - Returns: ‖E‖² of each lane.
    public func computeGradients(_ lanes: [Matrix], batchSize: Int, gradients: LaneGradients) -> [Double] {
        let scale = 2 / Float(batchSize)
        var losses: [Double] = []
        let passes = lanes.map { input in
            let lane = Lane(
                input: input, code: Matrix(rows: input.rows, columns: rank),
                error: Matrix(rows: input.rows, columns: inputs),
                codeGradient: Matrix(rows: input.rows, columns: rank))
            multiply(input.view, .none, encoderView.view, into: lane.code.mutableView)
            lane.error.copy(input.view)
            multiply(lane.code.view, .none, decoderView.view, scale: -1, keep: 1, into: lane.error.mutableView)
            losses.append(sumOfSquares(lane.error.pointer, count: input.rows * inputs))
            multiply(
                lane.error.view, .none, decoderView.view, .transposed, scale: -scale,
                into: lane.codeGradient.mutableView)
            return lane
        }
        gradients.set(encoder) { lane, gradient in
            multiply(
                passes[lane].input.view, .transposed, passes[lane].codeGradient.view,
                into: MutableMatrixView(base: gradient, rows: inputs, columns: rank))
        }
        gradients.set(decoder) { lane, gradient in
            multiply(
                passes[lane].code.view, .transposed, passes[lane].error.view, scale: -scale,
                into: MutableMatrixView(base: gradient, rows: rank, columns: inputs))
        }
        withExtendedLifetime(passes) {}
        return losses
    }
}
