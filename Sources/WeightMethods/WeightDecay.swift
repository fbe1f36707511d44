import CKernels
public import LinearAlgebra

/// How weight decay enters a step.
public enum DecayMode: String, Sendable, CaseIterable {
    /// w ← w − η(g + λw): PyTorch's `SGD(weight_decay=λ)`.
    case sgd
    /// w ← w − ηλw beside Adam's step: PyTorch's `AdamW`.
    case decoupled
    /// λw joins the gradient before Adam scales it: PyTorch's `Adam(weight_decay=λ)`.
    case l2
    /// Of each row, before Adam's step: as `decoupled` for λ ≥ 0, and for λ < 0 growth or decay towards unit norm,
    /// w ← w − ηλw(1/‖w‖ − 1) (Liu, Liu and Gore, arXiv 2505.10465).
    case unitRow = "unit-row"
}

/// One step of weight decay.
public struct WeightDecay: Sendable {
    public let mode: DecayMode
    /// λ.
    public let rate: Double
    /// η.
    public let learningRate: Double
    /// Adam's ε.
    public let epsilon: Double

    /// Norms below this are taken for it, so that a row of zeros stays.
    public static let smallestNorm = 1e-8

    /// - Throws: ``WeightMethodError/badSetting(_:)`` for a rate that is not finite, or is negative in a mode but `unitRow`,
    ///   and for a learning rate that is not finite or is negative.
    public init(mode: DecayMode, rate: Double, learningRate: Double, epsilon: Double = 1e-8) throws(WeightMethodError) {
        guard rate.isFinite, rate >= 0 || mode == .unitRow else {
            throw .badSetting(
                "the decay is \(rate), expected a finite number from 0; below 0 it grows rows towards unit norm in mode "
                    + "\(DecayMode.unitRow.rawValue) alone")
        }
        guard learningRate.isFinite, learningRate >= 0 else {
            throw .badSetting("the learning rate is \(learningRate), expected a finite number from 0")
        }
        self.mode = mode
        self.rate = rate
        self.learningRate = learningRate
        self.epsilon = epsilon
    }

    /// What a row is multiplied with before the optimiser's step, in the modes that multiply it.
    public func factor(ofRowWithNorm norm: Double) -> Double {
        switch mode {
        case .l2: 1
        case .unitRow where rate < 0: 1 - learningRate * rate * (1 / max(norm, Self.smallestNorm) - 1)
        case .sgd, .decoupled, .unitRow: 1 - learningRate * rate
        }
    }

    /// The decay alone, in place: every row times its factor. In mode `l2` nothing, for there the gradient takes it up.
    public func shrink(_ weights: MutableMatrixView) {
        guard mode != .l2 else { return }
        for row in 0..<weights.rows {
            let values = weights.row(row)
            let factor = factor(
                ofRowWithNorm: kernel_sum_of_squares(weights.rowStart(row), weights.columns).squareRoot())
            for column in 0..<values.count { values[column] = Float(Double(values[column]) * factor) }
        }
    }

    /// One whole step, in place: the decay with SGD's step, or with Adam's first, which divides the gradient by its magnitude.
    ///
    /// - Parameter gradient: of the shape of the weights; nil for zeros.
    /// - Throws: ``WeightMethodError/notFinite(row:column:value:)`` for weights or gradient; nothing is changed then.
    public func step(_ weights: MutableMatrixView, gradient: MatrixView? = nil) throws(WeightMethodError) {
        precondition(gradient.map { $0.rows == weights.rows && $0.columns == weights.columns } ?? true)
        try weights.view.requireFinite()
        try gradient?.requireFinite()
        for row in 0..<weights.rows {
            let values = weights.row(row)
            let slopes = gradient?.row(row)
            let factor = factor(
                ofRowWithNorm: kernel_sum_of_squares(weights.rowStart(row), weights.columns).squareRoot())
            for column in 0..<values.count {
                let weight = Double(values[column])
                var slope = slopes.map { Double($0[column]) } ?? 0
                if mode == .l2 { slope += rate * weight }
                if mode != .sgd { slope = slope / (slope.magnitude + epsilon) }
                values[column] = Float(weight * factor - learningRate * slope)
            }
        }
    }
}
