internal import CKernels
public import LinearAlgebra
public import NeuralNetwork
internal import Randomness

/// The superposition model (Liu, Liu and Gore, arXiv 2505.10465): h = Wᵀx, y = max(W·h + b, 0), loss ‖y − x‖², with fewer
/// hidden numbers than features.
///
/// x is sparse, so h and the gradient by way of x cost next to nothing; what is left are three products of
/// [batch, features] with [features, hidden], made of pieces that stay in the second cache. A lane's numbers depend on that
/// lane alone.
public final class SuperpositionNetwork {
    /// What a network and its data are made of.
    public struct Settings: Sendable, Equatable {
        /// n and m.
        public var features, hidden: Int
        /// α of the features' probabilities.
        public var exponent: Double
        public var seed: UInt64
        /// Whether b begins as N(0, 1), as the paper has it, or as 0.
        public var startsWithRandomBias: Bool

        /// - Precondition: `features` and `hidden` > 0, `exponent` ≥ 0.
        public init(features: Int, hidden: Int, exponent: Double, seed: UInt64, startsWithRandomBias: Bool = true) {
            precondition(features > 0 && hidden > 0 && exponent >= 0)
            self.features = features
            self.hidden = hidden
            self.exponent = exponent
            self.seed = seed
            self.startsWithRandomBias = startsWithRandomBias
        }
    }

    public let settings: Settings
    public let data: SparseFeatures
    public let layout: ParameterLayout
    /// W, [features, hidden], and b: [1, elements].
    public let parameters: Matrix
    /// One row for each feature.
    private let weightBlock: ParameterLayout.Block
    /// One row.
    private let biasBlock: ParameterLayout.Block

    /// Samples that are computed together.
    public static let pieceLength = 128
    private let samples = SparseSamples()
    private let hidden = Matrix()  // [piece, hidden]
    private let output = Matrix()  // [piece, features]
    private let transposedOutput = Matrix()  // [features, piece]
    private let hiddenGradient = Matrix()  // [piece, hidden]
    private let biasGradients = Matrix()  // [lanes, features]

    /// A network at its start: W ~ N(0, 1)/√m.
    public init(_ settings: Settings) {
        self.settings = settings
        data = SparseFeatures(count: settings.features, exponent: settings.exponent, seed: settings.seed)
        var layout = ParameterLayout()
        weightBlock = layout.appendDense(name: "weight", rows: settings.features, columns: settings.hidden)
        biasBlock = layout.appendVector(name: "bias", count: settings.features)
        self.layout = layout
        parameters = Matrix(rows: 1, columns: layout.elementCount)
        let source = NormalSource(seed: settings.seed)
        source.fill(
            buffer(weightBlock), tensor: 0, standardDeviation: 1 / Double(settings.hidden).squareRoot())
        if settings.startsWithRandomBias { source.fill(buffer(biasBlock), tensor: 1) }
    }

    /// W, valid as long as the network lives.
    public var weight: MatrixView {
        MatrixView(
            base: parameters.pointer + weightBlock.elements.lowerBound, rows: settings.features,
            columns: settings.hidden)
    }

    private var bias: UnsafeMutablePointer<Float> { parameters.pointer + biasBlock.elements.lowerBound }

    private func buffer(_ block: ParameterLayout.Block) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: parameters.pointer + block.elements.lowerBound, count: block.elements.count)
    }

    /// Forward and backward of some lanes of a global batch.
    ///
    /// - Parameters:
    ///   - samples: the index of the sample in each slot of the whole global batch.
    ///   - lanes: those to compute; lane l of L holds the slots from ⌊l·B/L⌋ to before ⌊(l+1)·B/L⌋.
    ///   - gradients: of these lanes; set. They are those of the mean loss over the global batch.
    /// - Returns: for each of the lanes, the sum of the losses of its samples.
    public func computeGradients(
        samples indices: [Int], lanes: Range<Int>, tree: LaneTree, pass: Pass, gradients: LaneGradients
    ) -> [Double] {
        let scale = 2 / Float(indices.count)
        let features = settings.features
        var losses = [Double](repeating: 0, count: lanes.count)
        biasGradients.resize(rows: lanes.count, columns: features)
        biasGradients.mutableView.clear()
        gradients.set(weightBlock) { lane, gradient in
            let weightGradient = MutableMatrixView(base: gradient, rows: features, columns: settings.hidden)
            let slots = tree.slots(ofLane: lanes.lowerBound + lane, batchSize: indices.count)
            if slots.isEmpty { weightGradient.clear() }
            forEachPiece(of: slots, sample: { indices[$0] }, split: .training) { rows, isFirst in
                let sums = biasGradients.mutableView.rowStart(lane)
                losses[lane] += kernel_rectified_difference(rows, output.pointer, bias, sums, features)
                transposedOutput.resize(rows: features, columns: rows.rows)
                kernel_transpose(
                    output.pointer, features, transposedOutput.pointer, rows.rows, rows.rows, features)
                kernel_scale(hidden.pointer, scale, rows.rows * settings.hidden)
                RowProducts.multiply(
                    transposedOutput.view, hidden.view, .none, keep: isFirst ? 0 : 1, into: weightGradient)
                hiddenGradient.resize(rows: rows.rows, columns: settings.hidden)
                RowProducts.multiply(output.view, weight, .none, into: hiddenGradient.mutableView)
                kernel_add_sparse_products(rows, scale, hiddenGradient.pointer, gradient, settings.hidden)
            }
        }
        gradients.set(biasBlock) { lane, gradient in
            for (feature, sum) in biasGradients.view.row(lane).enumerated() { gradient[feature] = scale * sum }
        }
        return losses
    }

    /// The losses of samples that are never trained on.
    ///
    /// - Parameters:
    ///   - range: their indices.
    ///   - progressed: called after each piece.
    /// - Returns: the sum of each ``pieceLength`` of them in a row; the last may be of fewer.
    public func evaluate(_ range: Range<Int>, progressed: () -> Void = {}) -> [Double] {
        let sums = Matrix(rows: 1, columns: settings.features)
        var losses: [Double] = []
        forEachPiece(of: range, sample: \.self, split: .evaluation) { rows, _ in
            losses.append(kernel_rectified_difference(rows, output.pointer, bias, sums.pointer, settings.features))
            progressed()
        }
        return losses
    }

    /// Draws the samples of each piece, and computes `hidden` = Wᵀx and `output` = W·h for them.
    private func forEachPiece(
        of slots: Range<Int>, sample: (Int) -> Int, split: SparseFeatures.Split,
        _ body: (_ rows: kernel_sparse_rows, _ isFirst: Bool) -> Void
    ) {
        for start in stride(from: slots.lowerBound, to: slots.upperBound, by: Self.pieceLength) {
            let piece = start..<min(start + Self.pieceLength, slots.upperBound)
            samples.removeAll()
            for slot in piece { data.append(sample(slot), of: split, to: samples) }
            hidden.resize(rows: piece.count, columns: settings.hidden)
            output.resize(rows: piece.count, columns: settings.features)
            samples.withRows { rows in
                kernel_sparse_combinations(rows, weight.base, hidden.pointer, settings.hidden)
                RowProducts.multiply(hidden.view, weight, .transposed, into: output.mutableView)
                body(rows, start == slots.lowerBound)
            }
        }
    }
}
