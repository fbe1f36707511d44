import LinearAlgebra
import NeuralNetwork

/// Three lanes with sequences of very different lengths.
let unevenLanes = [[sequence(1), sequence(9)], [sequence(3)], [sequence(19), sequence(2)]]
let unevenBatch = PackedBatch(lanes: unevenLanes, firstLane: 0, firstSlot: 0)

/// A network around one operation, whose inputs are trained number by number.
final class OperationBench {
    let description = NetworkDescription()
    private(set) var layout = ParameterLayout()
    /// Of everything that is trained.
    let parameters = matrix(1, 1 << 14, seed: 5)
    private let trees = LaneTree(laneCount: unevenBatch.lanes.count)
    private var kept: [Matrix] = []
    private var site: UInt32 = 0
    private let probability: Double
    private var network: Network?

    /// - Parameter probability: of every place that drops.
    init(_ operation: OperationCase, probability: Double) {
        self.probability = probability
        let output = operation.build(self)
        outputColumns = description.columns(of: output)
        network = Network(description, output: output)
    }

    private(set) var outputColumns = 0

    /// A place that drops.
    func dropout() -> Dropout {
        site += 1
        return Dropout(site: site, probability: probability)
    }

    /// Numbers that stay as they are.
    func constants(_ rows: Int, _ columns: Int, scale: Float = 1) -> Matrix {
        kept.append(matrix(rows, columns, scale: scale, seed: kept.count + 20))
        return kept[kept.count - 1]
    }

    /// An input, a number for each row and column.
    ///
    /// - Parameter distance: that all numbers keep from 0.
    func input(_ columns: Int, rows: RowSet = .tokens, scale: Float = 1, distance: Float = 0) -> NetworkValue {
        let batch = rows == .tokens ? unevenBatch : unevenBatch.samples()
        let block = layout.appendDense(name: "input \(layout.blocks.count)", rows: batch.rowCount, columns: columns)
        for index in block.elements {
            let value = parameters.pointer[index] * scale
            parameters.pointer[index] = value + (value < 0 ? -distance : distance)
        }
        return description.append(
            TrainedRows(block, parameters: parameters.pointer, of: batch), rows: rows, columns: columns)
    }

    /// A vector that is trained.
    func vector(_ count: Int) -> NetworkTensor {
        let block = layout.appendVector(name: "vector \(layout.blocks.count)", count: count)
        return NetworkTensor(values: UnsafePointer(parameters.pointer + block.elements.lowerBound), block: block)
    }

    func table(_ rows: Int, _ columns: Int) -> NetworkTensor {
        let block = layout.appendDense(name: "table \(layout.blocks.count)", rows: rows, columns: columns)
        return tensor(block)
    }

    /// A tensor that is trained.
    private func tensor(_ block: ParameterLayout.Block) -> NetworkTensor {
        NetworkTensor(
            name: block.name, shape: block.shape,
            values: UnsafePointer(parameters.pointer + block.elements.lowerBound), block: block)
    }

    /// How the network tells the distances of tokens apart.
    var distances = TokenDistances.logarithmic(span: 6, buckets: 6, largest: 12)

    /// A row for each distance, of a table that is trained.
    func distanceRows(_ columns: Int) -> NetworkValue {
        let isSigned = if case .logarithmic = distances { true } else { false }
        let index = Embedding.Index.positions(offset: isSigned ? 6 : 0)
        return description.embedded(Embedding([.init(table(isSigned ? 12 : 32, columns), index)]), rows: .distances)
    }

    /// The tensors of a head.
    func head(_ inputs: Int, _ outputs: Int) -> (weight: NetworkTensor, bias: NetworkTensor) {
        (
            tensor(layout.appendDense(name: "head.weight", rows: outputs, columns: inputs)),
            tensor(layout.appendVector(name: "head.bias", count: outputs))
        )
    }

    /// A linear layer with an adapter.
    ///
    /// - Parameter readers: places in which it is computed.
    func adapted(_ inputs: Int, _ outputs: Int, readers: Int = 1) -> AdaptedLinear {
        let name = "linear \(layout.blocks.count)"
        let layer = AdaptedLinear(
            path: name, weight: .plain(constants(outputs, inputs).view), bias: constants(1, outputs).pointer)
        layer.adapter = LinearAdapter(
            block: layout.appendTriplets(name: name, count: 2, outputs: outputs, inputs: inputs),
            parameters: parameters.pointer, scale: 0.7, dropout: dropout(), readers: readers)
        return layer
    }

    /// A linear layer that is trained in full.
    func dense(_ inputs: Int, _ outputs: Int) -> AdaptedLinear {
        AdaptedLinear(
            path: "linear",
            weight: tensor(layout.appendDense(name: "linear.weight", rows: outputs, columns: inputs)),
            bias: tensor(layout.appendVector(name: "linear.bias", count: outputs)))
    }

    func normalization(_ columns: Int, hasOffset: Bool = true, drops: Bool = true) -> ResidualNormalization {
        ResidualNormalization(
            gain: vector(columns), offset: hasOffset ? vector(columns) : nil, columns: columns, epsilon: 1e-5,
            dropout: drops ? dropout() : Dropout(site: 0, probability: 0))
    }

    /// What the operation gives for a batch.
    func forward(_ batch: PackedBatch, pass: Pass = .training(seed: 7, step: 3)) -> MatrixView {
        guard let network else { preconditionFailure("a bench without a network") }
        return network.forward([batch, batch.samples(), batch.distances(distances)], pass: pass)
    }

    /// The gradients of all parameters from lanes of the batch, after `forward`.
    func gradients(_ lossGradient: MatrixView, lanes: Range<Int>) -> LaneGradients {
        let gradients = LaneGradients(tree: trees, lanes: lanes, layout: layout)
        network?.backward(lossGradient, pass: .training(seed: 7, step: 3), gradients: gradients)
        return gradients
    }

    /// The sums over all lanes.
    func total(_ gradients: [LaneGradients]) -> [Float] {
        let sums = gradients.flatMap { lanes in lanes.nodes.indices.map { (lanes.nodes[$0], lanes.sum(ofNode: $0)) } }
        let total = trees.completed(sums.map { (node: $0.0, value: $0.1) }, count: layout.elementCount)
        return withExtendedLifetime(gradients) {
            Array(UnsafeBufferPointer(start: total, count: layout.elementCount))
        }
    }
}

/// A value whose numbers are parameters.
private final class TrainedRows: Operation {
    private let block: ParameterLayout.Block
    private let values: MutableMatrixView
    /// The first row of each lane of the whole batch.
    private let starts: [Int]

    init(_ block: ParameterLayout.Block, parameters: UnsafeMutablePointer<Float>, of batch: PackedBatch) {
        self.block = block
        values = MutableMatrixView(
            base: parameters + block.elements.lowerBound, rows: block.rows.count, columns: block.rowWidth)
        starts = batch.lanes.map(\.rows.lowerBound)
    }

    var isTrained: Bool { true }

    func forward(_ operands: ForwardOperands) {
        for lane in operands.batch.lanes {
            operands.output.rowStart(lane.rows.lowerBound).update(
                from: values.rowStart(starts[lane.index]), count: lane.rows.count * values.columns)
        }
    }

    func backward(_ operands: BackwardOperands) {
        operands.gradients.set(block) { number, gradient in
            let lane = operands.batch.lanes[number]
            gradient.update(repeating: 0, count: block.elements.count)
            (gradient + starts[lane.index] * values.columns).update(
                from: operands.outputGradient.rowStart(lane.rows.lowerBound), count: lane.rows.count * values.columns)
        }
    }
}
