internal import CKernels
public import LinearAlgebra

// Shapes: T rows of the batch (tokens), d_in inputs, d_out outputs, r triplets of the adapter.

/// The adapter of a linear layer: where its triplets lie among the trained parameters, and how they act.
public struct LinearAdapter {
    /// Rows `[P_i | λ_i | Q_i]`.
    public let block: ParameterLayout.Block
    /// The replica of all trained parameters, which the training loop keeps current.
    public let parameters: UnsafeMutablePointer<Float>
    /// s = lora_alpha / (init_r + 1e-5).
    public let scale: Float
    /// Dropout of the adapter's input.
    public let dropout: Dropout

    public init(
        block: ParameterLayout.Block, parameters: UnsafeMutablePointer<Float>, scale: Float, dropout: Dropout
    ) {
        self.block = block
        self.parameters = parameters
        self.scale = scale
        self.dropout = dropout
    }
}

/// A linear layer with a weight and, if one is attached, an adapter:
/// `output = input · W0ᵀ + s · dropout(input) · Qᵀ · diag(λ) · Pᵀ`.
///
/// The bias is not added here, because what follows adds it in its own pass over the output. Gradients of W0 and of the bias
/// are formed only where they are among the trained parameters.
public final class AdaptedLinear {
    /// Dotted path of the module in the model, as PEFT names it.
    public let path: String
    /// W0, [d_out, d_in], or what is left of it where the adapter starts with a part of it.
    public private(set) var weight: FrozenMatrix
    /// [d_out].
    public private(set) var bias: UnsafePointer<Float>
    /// Of triplets of this layer's shape.
    public var adapter: LinearAdapter? {
        didSet { precondition(adapter.map { $0.block.kind == .triplets(outputs: outputs, inputs: inputs) } ?? true) }
    }

    /// Where weight, [d_out, d_in], and bias lie among the trained parameters, if they are trained.
    public private(set) var trained: (weight: ParameterLayout.Block, bias: ParameterLayout.Block)?

    /// What weight and bias lie in, where they are this layer's own.
    private var owned: Matrix?
    private let droppedInput = Matrix()  // [T, d_in], only with dropout
    private let mask = MaskBuffer()  // [T, d_in], only with dropout
    private let left = Matrix(), right = Matrix()  // Pᵀ and Q, copied so that every row starts at a cache line
    private let projected = Matrix()  // H = X·Qᵀ, [T, r]
    private let scaled = Matrix()  // Z = s·H·diag(λ), [T, r]
    private let scaledGradient = Matrix()  // dZ, [T, r]
    private let projectedGradient = Matrix()  // dH, [T, r]
    private let transposedGradient = Matrix()  // dYᵀ of a lane, [d_out, rows of the lane], where W0 is trained
    private let droppedGradient = Matrix()  // of the dropped input, [T, d_in], only with dropout

    public init(
        path: String, weight: FrozenMatrix, bias: UnsafePointer<Float>,
        trained: (weight: ParameterLayout.Block, bias: ParameterLayout.Block)? = nil
    ) {
        self.path = path
        self.weight = weight
        self.bias = bias
        self.trained = trained
    }

    /// A layer of zeros, for which ``train(weight:bias:in:)`` is to give the numbers.
    public convenience init(path: String, outputs: Int, inputs: Int) {
        let zeros = Matrix(rows: outputs + 1, columns: max(inputs, outputs))
        self.init(
            path: path, weight: .plain(MatrixView(base: zeros.view.base, rows: outputs, columns: inputs)),
            bias: zeros.view.rowStart(outputs))
        owned = zeros
    }

    /// Has weight and bias lie among the trained parameters, and train there.
    ///
    /// - Parameters:
    ///   - weight: a row for each output.
    ///   - parameters: of the blocks' layout; whoever owns them must outlive the layer.
    public func train(
        weight: ParameterLayout.Block, bias: ParameterLayout.Block, in parameters: UnsafeMutablePointer<Float>
    ) {
        precondition(weight.shape == [outputs, inputs] && bias.shape == [outputs])
        trained = (weight, bias)
        replaceWeight(
            MatrixView(base: parameters + weight.elements.lowerBound, rows: outputs, columns: inputs))
        self.bias = UnsafePointer(parameters + bias.elements.lowerBound)
        owned = nil
    }

    /// Whether anything of this layer is trained.
    public var isTrained: Bool { adapter != nil || trained != nil }

    public var outputs: Int { weight.rows }
    public var inputs: Int { weight.columns }

    /// Puts another frozen weight in the place of W0, of the same shape; whoever owns it must outlive the layer.
    public func replaceWeight(_ weight: MatrixView) {
        precondition(weight.rows == outputs && weight.columns == inputs)
        self.weight = .plain(weight)
    }

    /// - Parameters:
    ///   - input: [T, d_in].
    ///   - output: [T, d_out], without the bias.
    public func forward(_ input: MatrixView, into output: MutableMatrixView, batch: PackedBatch, pass: Pass) {
        RowProducts.multiply(input, weight, .transposed, into: output)
        guard let adapter else { return }
        WorkLog.measure(.adapters) { forward(input, through: adapter, into: output, batch: batch, pass: pass) }
    }

    /// output += s·X·Qᵀ·diag(λ)·Pᵀ
    private func forward(
        _ input: MatrixView, through adapter: LinearAdapter, into output: MutableMatrixView, batch: PackedBatch,
        pass: Pass
    ) {
        let adapterInput = dropped(input, adapter, batch, pass)
        let rank = adapter.block.rows.count
        projected.resize(rows: batch.rowCount, columns: rank)
        scaled.resize(rows: batch.rowCount, columns: rank)
        let singularValues = adapter.singularValues
        left.copy(adapter.leftVectors)
        right.copy(adapter.rightVectors)
        NarrowProducts.dots(adapterInput, right.view, into: projected.mutableView)
        kernel_scale_columns(
            projected.pointer, singularValues.first, singularValues.stride, adapter.scale, scaled.pointer,
            batch.rowCount, rank)
        NarrowProducts.addCombinations(scaled.view, of: left.view, to: output)
    }

    /// Sets the gradients of what is trained, and that of the input where one is wanted.
    ///
    /// - Parameters:
    ///   - outputGradient: [T, d_out].
    ///   - input: what `forward` was given, [T, d_in].
    ///   - inputGradient: [T, d_in], or nil where nothing below needs it.
    ///   - keep: 1 adds to the input's gradient, 0 replaces it.
    public func backward(
        _ outputGradient: MatrixView, input: MatrixView, inputGradient: MutableMatrixView?, keep: Float = 0,
        batch: PackedBatch, pass: Pass, gradients: LaneGradients
    ) {
        if let inputGradient {
            RowProducts.multiply(outputGradient, weight, .none, keep: keep, into: inputGradient)
        }
        setDenseGradients(outputGradient, input: input, batch: batch, gradients: gradients)
        guard let adapter else { return }
        WorkLog.measure(.adapters) {
            backward(
                outputGradient, through: adapter, input: input, inputGradient: inputGradient, batch: batch, pass: pass,
                gradients: gradients)
        }
    }

    /// dW = dYᵀ·X and db = Σ_t dY_t, lane by lane.
    private func setDenseGradients(
        _ outputGradient: MatrixView, input: MatrixView, batch: PackedBatch, gradients: LaneGradients
    ) {
        guard let trained else { return }
        gradients.set(trained.weight) { lane, gradient in
            let rows = batch.lanes[lane].rows
            let target = MutableMatrixView(base: gradient, rows: outputs, columns: inputs)
            guard !rows.isEmpty else { return target.clear() }
            transposedGradient.resize(rows: outputs, columns: rows.count)
            WorkLog.measure(.products) {
                kernel_transpose(
                    outputGradient.rowStart(rows.lowerBound), outputGradient.stride, transposedGradient.pointer,
                    rows.count, rows.count, outputs)
            }
            RowProducts.multiply(transposedGradient.view, input[rows: rows], .none, into: target)
        }
        gradients.set(trained.bias) { lane, gradient in
            let rows = batch.lanes[lane].rows
            kernel_column_sums(
                outputGradient[rows: rows].base, outputGradient.stride, gradient, rows.count, outputs)
        }
    }

    private func backward(
        _ outputGradient: MatrixView, through adapter: LinearAdapter, input: MatrixView,
        inputGradient: MutableMatrixView?, batch: PackedBatch, pass: Pass, gradients: LaneGradients
    ) {
        let drops = adapter.dropout.isActive(in: pass)
        let adapterInput = drops ? droppedInput.view : input
        let rank = adapter.block.rows.count
        scaledGradient.resize(rows: batch.rowCount, columns: rank)
        projectedGradient.resize(rows: batch.rowCount, columns: rank)
        let singularValues = adapter.singularValues
        NarrowProducts.dots(outputGradient, left.view, into: scaledGradient.mutableView)
        kernel_scale_columns(
            scaledGradient.pointer, singularValues.first, singularValues.stride, adapter.scale,
            projectedGradient.pointer, batch.rowCount, rank)
        if let inputGradient { addInputGradient(adapter, drops, to: inputGradient) }
        gradients.set(adapter.block) { lane, gradient in
            let rows = batch.lanes[lane].rows
            let width = adapter.block.rowWidth
            let leftGradient = MutableMatrixView(base: gradient, rows: rank, columns: outputs, stride: width)
            let rightGradient = MutableMatrixView(
                base: gradient + outputs + 1, rows: rank, columns: inputs, stride: width)
            // dP = Zᵀ·dY, dQ = dHᵀ·X, dλ_i = s·Σ_t dZ[t,i]·H[t,i]
            NarrowProducts.weightedSums(scaled.view[rows: rows], of: outputGradient[rows: rows], into: leftGradient)
            NarrowProducts.weightedSums(
                projectedGradient.view[rows: rows], of: adapterInput[rows: rows], into: rightGradient)
            kernel_column_products(
                scaledGradient.view[rows: rows].base, projected.view[rows: rows].base, adapter.scale,
                gradient + outputs, width, rows.count, rank)
        }
    }

    /// The input as the adapter sees it.
    private func dropped(
        _ input: MatrixView, _ adapter: LinearAdapter, _ batch: PackedBatch, _ pass: Pass
    ) -> MatrixView {
        guard adapter.dropout.isActive(in: pass) else { return input }
        droppedInput.resize(rows: batch.rowCount, columns: inputs)
        let mask = mask.filled(by: adapter.dropout, columns: inputs, batch: batch, pass: pass)
        kernel_apply_mask(
            input.base, mask, adapter.dropout.keepScale, droppedInput.pointer, batch.rowCount * inputs)
        return droppedInput.view
    }

    /// dX += dropout'(dH·Q)
    private func addInputGradient(_ adapter: LinearAdapter, _ drops: Bool, to inputGradient: MutableMatrixView) {
        let rows = projectedGradient.rows
        guard drops else {
            return NarrowProducts.addCombinations(projectedGradient.view, of: right.view, to: inputGradient)
        }
        droppedGradient.resize(rows: rows, columns: inputs)
        droppedGradient.mutableView.clear()
        NarrowProducts.addCombinations(
            projectedGradient.view, of: right.view, to: droppedGradient.mutableView)
        kernel_apply_mask(
            droppedGradient.pointer, mask.base, adapter.dropout.keepScale, droppedGradient.pointer, rows * inputs)
        kernel_add(inputGradient.base, droppedGradient.pointer, rows * inputs)
    }
}

extension LinearAdapter {
    private var rank: Int { block.rows.count }
    private var outputs: Int {
        guard case .triplets(let outputs, _) = block.kind else { return 0 }
        return outputs
    }

    /// Pᵀ, [r, d_out], one row for each triplet.
    var leftVectors: MatrixView {
        MatrixView(
            base: parameters + block.elements.lowerBound, rows: rank, columns: outputs, stride: block.rowWidth)
    }

    /// Q, [r, d_in].
    var rightVectors: MatrixView {
        MatrixView(
            base: parameters + block.elements.lowerBound + outputs + 1, rows: rank,
            columns: block.rowWidth - outputs - 1, stride: block.rowWidth)
    }

    /// λ_1, with the distance from one to the next.
    var singularValues: (first: UnsafePointer<Float>, stride: Int) {
        (UnsafePointer(parameters + block.elements.lowerBound + outputs), block.rowWidth)
    }
}
