internal import CKernels
public import LinearAlgebra

/// A linear layer that is trained in full, on a batch with one row for each sample: `logits = dropout(input) · Wᵀ + b`.
///
/// It is small (a row for each class), so its products are plain sums in double precision.
public final class DenseHead {
    /// W, [classes, features].
    private let weight: NetworkTensor
    /// [classes], or nil.
    private let bias: NetworkTensor?
    private let dropout: Dropout
    private let dropped = Matrix()  // [samples, features]
    private let mask = MaskBuffer()
    private var activeMask: UnsafeMutablePointer<UInt8>?

    public init(weight: NetworkTensor, bias: NetworkTensor?, dropout: Dropout) {
        self.weight = weight
        self.bias = bias
        self.dropout = dropout
    }

    public convenience init(
        weight: ParameterLayout.Block, bias: ParameterLayout.Block, parameters: UnsafeMutablePointer<Float>,
        dropout: Dropout
    ) {
        let tensors = [weight, bias].map { block in
            NetworkTensor(
                name: block.name, shape: block.shape, values: UnsafePointer(parameters + block.elements.lowerBound),
                block: block)
        }
        self.init(weight: tensors[0], bias: tensors[1], dropout: dropout)
    }

    var isTrained: Bool { weight.block != nil || bias?.block != nil }
    private var features: Int { weight.shape[1] }
    private var classes: Int { weight.shape[0] }
    private var weights: MatrixView { MatrixView(base: weight.values, rows: classes, columns: features) }

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
        let biases = bias?.values
        for row in batch.sequences.map(\.rows.lowerBound) {
            for index in 0..<classes {
                let product = kernel_dot(dropped.view.rowStart(row), weights.rowStart(index), features)
                logits.rowStart(row)[index] = Float(product + Double(biases?[index] ?? 0))
            }
        }
    }

    /// Sets the gradients of W and b, and the input's.
    ///
    /// - Parameters:
    ///   - logitsGradient: [rows, classes].
    ///   - inputGradient: [rows, features], replaced; nil where nothing below needs it.
    public func backward(
        _ logitsGradient: MatrixView, inputGradient: MutableMatrixView?, batch: PackedBatch, gradients: LaneGradients
    ) {
        weight.setGradients(in: gradients) { lane, gradient in
            gradient.update(repeating: 0, count: classes * features)
            for row in batch.lanes[lane].rows {
                for (index, factor) in logitsGradient.row(row).enumerated() {
                    kernel_add_scaled(gradient + index * features, factor, dropped.view.rowStart(row), features)
                }
            }
        }
        bias?.setGradients(in: gradients) { lane, gradient in
            gradient.update(repeating: 0, count: classes)
            for row in batch.lanes[lane].rows { kernel_add(gradient, logitsGradient.rowStart(row), classes) }
        }
        guard let inputGradient else { return }
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
