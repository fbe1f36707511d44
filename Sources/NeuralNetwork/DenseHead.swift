internal import CKernels
public import LinearAlgebra

/// A linear layer that is trained in full, on a batch with one row for each sample: `logits = dropout(input) · Wᵀ + b`.
///
/// It is small (a row for each class), so its products are plain sums in double precision.
public final class DenseHead {
    /// Rows of W, [classes, features].
    public let weight: ParameterLayout.Block
    /// One row, [classes].
    public let bias: ParameterLayout.Block
    private let parameters: UnsafeMutablePointer<Float>
    private let dropout: Dropout
    private let dropped = Matrix()  // [samples, features]
    private let mask = MaskBuffer()
    private var activeMask: UnsafeMutablePointer<UInt8>?

    public init(
        weight: ParameterLayout.Block, bias: ParameterLayout.Block, parameters: UnsafeMutablePointer<Float>,
        dropout: Dropout
    ) {
        self.weight = weight
        self.bias = bias
        self.parameters = parameters
        self.dropout = dropout
    }

    private var features: Int { weight.rowWidth }
    private var classes: Int { weight.rows.count }
    private var weights: MatrixView {
        MatrixView(base: parameters + weight.elements.lowerBound, rows: classes, columns: features)
    }

    /// - Parameters:
    ///   - input: [rows, features].
    ///   - logits: [rows, classes].
    ///   - batch: the batch of samples.
    public func forward(_ input: MatrixView, into logits: MutableMatrixView, batch: PackedBatch, pass: Pass) {
        let count = batch.rowCount * features
        dropped.resize(rows: batch.rowCount, columns: features)
        if dropout.isActive(in: pass) {
            let mask = mask.filled(by: dropout, columns: features, batch: batch, pass: pass)
            kernel_apply_mask(input.base, mask, dropout.keepScale, dropped.pointer, count)
            activeMask = mask
        } else {
            dropped.pointer.update(from: input.base, count: count)
            activeMask = nil
        }
        let biases = parameters + bias.elements.lowerBound
        for row in batch.sequences.map(\.rows.lowerBound) {
            for index in 0..<classes {
                let product = kernel_dot(dropped.view.rowStart(row), weights.rowStart(index), features)
                logits.rowStart(row)[index] = Float(product + Double(biases[index]))
            }
        }
    }

    /// Sets the gradients of W and b, and the input's.
    ///
    /// - Parameters:
    ///   - logitsGradient: [rows, classes].
    ///   - inputGradient: [rows, features]; replaced.
    public func backward(
        _ logitsGradient: MatrixView, inputGradient: MutableMatrixView, batch: PackedBatch, gradients: LaneGradients
    ) {
        gradients.set(weight) { lane, gradient in
            gradient.update(repeating: 0, count: weight.elements.count)
            for row in batch.lanes[lane].rows {
                for (index, factor) in logitsGradient.row(row).enumerated() {
                    kernel_add_scaled(gradient + index * features, factor, dropped.view.rowStart(row), features)
                }
            }
        }
        gradients.set(bias) { lane, gradient in
            gradient.update(repeating: 0, count: classes)
            for row in batch.lanes[lane].rows { kernel_add(gradient, logitsGradient.rowStart(row), classes) }
        }
        inputGradient.clear()
        for row in batch.sequences.map(\.rows.lowerBound) {
            let gradient = inputGradient.rowStart(row)
            for (index, factor) in logitsGradient.row(row).enumerated() {
                kernel_add_scaled(gradient, factor, weights.rowStart(index), features)
            }
            if let activeMask {
                kernel_apply_mask(gradient, activeMask + row * features, dropout.keepScale, gradient, features)
            }
        }
    }
}
