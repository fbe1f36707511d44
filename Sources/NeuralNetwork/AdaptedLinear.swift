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
    /// Operations whose backward passes each give a part of the triplets' gradients.
    public let readers: Int

    /// - Parameter readers: nil where each of the layers that use the block is computed once.
    public init(
        block: ParameterLayout.Block, parameters: UnsafeMutablePointer<Float>, scale: Float, dropout: Dropout,
        readers: Int? = nil
    ) {
        self.readers = readers ?? block.uses.count
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
    public let outputs: Int
    public let inputs: Int
    /// W0, [d_out, d_in], or what is left of it where the adapter starts with a part of it.
    public let weightTensor: NetworkTensor
    /// [d_out], of a layer that has one.
    public let biasTensor: NetworkTensor?
    /// Of triplets of this layer's shape.
    public var adapter: LinearAdapter? {
        didSet { precondition(adapter.map { $0.block.kind == .triplets(outputs: outputs, inputs: inputs) } ?? true) }
    }

    /// Operations that compute it: more than one where a network uses it in several places.
    public private(set) var readers = 0

    /// Of whoever computes it without a network's description.
    private lazy var ownTrace = Trace()

    /// - Parameters:
    ///   - weight: of outputs · inputs elements; its first dimension are the outputs.
    ///   - bias: [outputs], or nil.
    public init(path: String, weight: NetworkTensor, bias: NetworkTensor?) {
        self.path = path
        weightTensor = weight
        biasTensor = bias
        outputs = weight.shape.first ?? 0
        inputs = weight.elementCount / max(outputs, 1)
    }

    public convenience init(
        path: String, weight: FrozenMatrix, bias: UnsafePointer<Float>,
        trained: (weight: ParameterLayout.Block, bias: ParameterLayout.Block)? = nil
    ) {
        let matrix = NetworkTensor(name: path + ".weight", matrix: weight)
        self.init(
            path: path,
            weight: trained.map {
                NetworkTensor(name: matrix.name, shape: matrix.shape, values: matrix.values, block: $0.weight)
            } ?? matrix,
            bias: NetworkTensor(name: path + ".bias", shape: [weight.rows], values: bias, block: trained?.bias))
    }

    public var weight: FrozenMatrix {
        switch weightTensor.matrix {
        case .plain(let view): .plain(MatrixView(base: view.base, rows: outputs, columns: inputs))
        case .quantized(let codes): .quantized(codes)
        }
    }

    public var bias: UnsafePointer<Float>? { biasTensor?.values }

    /// Whether anything of this layer is trained.
    public var isTrained: Bool { adapter != nil || weightTensor.block != nil || biasTensor?.block != nil }

    /// Puts another frozen weight in the place of W0, of the same shape; whoever owns it must outlive the layer.
    public func replaceWeight(_ weight: MatrixView) {
        precondition(weight.rows == outputs && weight.columns == inputs)
        weightTensor.set(weight.base, owner: nil)
    }

    /// What a forward pass leaves for its backward pass. Whoever computes the layer holds one for each place in the network.
    public final class Trace {
        /// Which of the layer's places it is, for the random numbers of its dropout.
        let place: UInt32
        let droppedInput = Matrix()  // [T, d_in], only with dropout
        let mask = MaskBuffer()  // [T, d_in], only with dropout
        let left = Matrix(), right = Matrix()  // Pᵀ and Q, copied so that every row starts at a cache line
        let projected = Matrix()  // H = X·Qᵀ, [T, r]
        let scaled = Matrix()  // Z = s·H·diag(λ), [T, r]
        let scaledGradient = Matrix()  // dZ, [T, r]
        let projectedGradient = Matrix()  // dH, [T, r]
        let transposedGradient = Matrix()  // dYᵀ of a lane, [d_out, rows of the lane], where W0 is trained
        let droppedGradient = Matrix()  // of the dropped input, [T, d_in], only with dropout

        init(place: Int = 0) { self.place = UInt32(place) }

        /// The adapter's dropout at this place: sites of further places lie beyond those of all layers.
        func dropout(of adapter: LinearAdapter) -> Dropout {
            place == 0
                ? adapter.dropout
                : Dropout(
                    site: adapter.dropout.site + 0x40_0000 * place, probability: adapter.dropout.probability)
        }
    }

    /// A trace of one more place in which the layer is computed.
    func makeTrace() -> Trace {
        defer {
            readers += 1
            weightTensor.readers += 1
            biasTensor?.readers += 1
        }
        return Trace(place: readers)
    }

    /// - Parameters:
    ///   - input: [T, d_in].
    ///   - output: [T, d_out], without the bias.
    public func forward(
        _ input: MatrixView, into output: MutableMatrixView, batch: PackedBatch, pass: Pass, trace: Trace? = nil
    ) {
        RowProducts.multiply(input, weight, .transposed, into: output)
        guard let adapter else { return }
        WorkLog.measure(.adapters) {
            (trace ?? ownTrace).forward(input, through: adapter, into: output, batch: batch, pass: pass)
        }
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
        batch: PackedBatch, pass: Pass, gradients: LaneGradients, trace: Trace? = nil
    ) {
        let trace = trace ?? ownTrace
        if let inputGradient {
            RowProducts.multiply(outputGradient, weight, .none, keep: keep, into: inputGradient)
        }
        setDenseGradients(outputGradient, input: input, batch: batch, gradients: gradients, trace)
        guard let adapter else { return }
        WorkLog.measure(.adapters) {
            trace.backward(
                outputGradient, through: adapter, input: input, inputGradient: inputGradient, batch: batch, pass: pass,
                gradients: gradients)
        }
    }

    /// dW = dYᵀ·X and db = Σ_t dY_t, lane by lane.
    private func setDenseGradients(
        _ outputGradient: MatrixView, input: MatrixView, batch: PackedBatch, gradients: LaneGradients, _ trace: Trace
    ) {
        let transposed = trace.transposedGradient
        weightTensor.setGradients(in: gradients) { lane, gradient in
            let rows = batch.lanes[lane].rows
            let target = MutableMatrixView(base: gradient, rows: outputs, columns: inputs)
            guard !rows.isEmpty else { return target.clear() }
            transposed.resize(rows: outputs, columns: rows.count)
            WorkLog.measure(.products) {
                kernel_transpose(
                    outputGradient.rowStart(rows.lowerBound), outputGradient.stride, transposed.pointer,
                    rows.count, rows.count, outputs)
            }
            RowProducts.multiply(transposed.view, input[rows: rows], .none, into: target)
        }
        biasTensor?.setGradients(in: gradients) { lane, gradient in
            let rows = batch.lanes[lane].rows
            kernel_column_sums(
                outputGradient[rows: rows].base, outputGradient.stride, gradient, rows.count, outputs)
        }
    }
}

extension AdaptedLinear.Trace {
    /// output += s·X·Qᵀ·diag(λ)·Pᵀ
    fileprivate func forward(
        _ input: MatrixView, through adapter: LinearAdapter, into output: MutableMatrixView, batch: PackedBatch,
        pass: Pass
    ) {
        let adapterInput = dropped(input, adapter, batch, pass)
        let rank = adapter.rank
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

    fileprivate func backward(
        _ outputGradient: MatrixView, through adapter: LinearAdapter, input: MatrixView,
        inputGradient: MutableMatrixView?, batch: PackedBatch, pass: Pass, gradients: LaneGradients
    ) {
        let drops = dropout(of: adapter).isActive(in: pass)
        let adapterInput = drops ? droppedInput.view : input
        let (rank, outputs, inputs) = (adapter.rank, adapter.outputs, adapter.inputs)
        scaledGradient.resize(rows: batch.rowCount, columns: rank)
        projectedGradient.resize(rows: batch.rowCount, columns: rank)
        let singularValues = adapter.singularValues
        NarrowProducts.dots(outputGradient, left.view, into: scaledGradient.mutableView)
        kernel_scale_columns(
            scaledGradient.pointer, singularValues.first, singularValues.stride, adapter.scale,
            projectedGradient.pointer, batch.rowCount, rank)
        if let inputGradient { addInputGradient(adapter, drops, to: inputGradient) }
        gradients.set(adapter.block, parts: adapter.readers) { lane, gradient in
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
        guard dropout(of: adapter).isActive(in: pass) else { return input }
        droppedInput.resize(rows: batch.rowCount, columns: adapter.inputs)
        let mask = mask.filled(by: dropout(of: adapter), columns: adapter.inputs, batch: batch, pass: pass)
        kernel_apply_mask(
            input.base, mask, adapter.dropout.keepScale, droppedInput.pointer, batch.rowCount * adapter.inputs)
        return droppedInput.view
    }

    /// dX += dropout'(dH·Q)
    private func addInputGradient(_ adapter: LinearAdapter, _ drops: Bool, to inputGradient: MutableMatrixView) {
        let (rows, inputs) = (projectedGradient.rows, adapter.inputs)
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
    var rank: Int { block.rows.count }
    var outputs: Int {
        guard case .triplets(let outputs, _) = block.kind else { return 0 }
        return outputs
    }
    var inputs: Int { block.rowWidth - outputs - 1 }

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
