package import AdaLoRA
import CKernels
import LinearAlgebra
package import NeuralNetwork
package import WeightMethods

/// What a step does to the weights beyond AdamW with one decay for all: other forms of weight decay, and decays by group;
/// clipping; triplets whose P and Q keep unit length.
///
/// A row is treated in several passes, where ``RowUpdate`` takes one.
package struct WeightTreatment {
    private let mode: TrainingConfiguration.DecayMode
    private let decayOfVectors: Double
    private let decayOfValues: Double
    private let decayOfHead: Double
    private let limit: Float?
    private let normalizes: Bool
    private let startsNormalized: Bool

    /// - Returns: nil where ``RowUpdate`` does all that the configuration asks for.
    package init?(_ configuration: TrainingConfiguration) {
        let optimizer = configuration.optimizer
        mode = optimizer.decayMode
        decayOfVectors = optimizer.weightDecayOfVectors ?? optimizer.weightDecay
        decayOfValues = optimizer.weightDecayOfValues ?? (mode == .unitRow ? 0 : optimizer.weightDecay)
        decayOfHead = optimizer.weightDecayOfHead ?? optimizer.weightDecay
        limit = optimizer.largestWeight.map { Float($0) }
        normalizes = configuration.adapter.normalization == .unit
        // Singular vectors have unit length, but for rounding; what the base lacks must stay what it is.
        startsNormalized = configuration.adapter.initialization.isDecomposition
        let isOneDecay = [decayOfVectors, decayOfValues, decayOfHead].allSatisfy { $0 == optimizer.weightDecay }
        if mode == .decoupled, isOneDecay, limit == nil, !normalizes { return nil }
    }

    /// One step of a row.
    ///
    /// The sensitivity takes the gradient without what `l2` adds to it, as PyTorch's optimisers leave it, and, where it is
    /// taken after the update, the weights as they are at the end of this step.
    ///
    /// - Parameters:
    ///   - values, gradient: w and g, [count].
    ///   - offset: where the row's entries start in the arrays of the state.
    package func apply(
        _ optimizer: AdamW.Update, _ importance: Importance, at point: TrainingConfiguration.SensitivityPoint?,
        to values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, state: StatePointers, offset: Int,
        count: Int, kind: ParameterLayout.Kind
    ) throws(WeightMethodError) {
        func updateImportance(_ now: TrainingConfiguration.SensitivityPoint) {
            guard point == now, case .triplets = kind else { return }
            importance.update(
                values: values, gradient: gradient, gradientFactor: optimizer.settings.gradient_factor,
                smoothed: state.smoothedSensitivity + offset, uncertainty: state.uncertainty + offset, count: count)
        }
        func step(_ range: Range<Int>, decay: Double, isRow: Bool = true) throws(WeightMethodError) {
            let start = range.lowerBound
            var settings = optimizer.settings
            settings.weight_decay = Float(decay)
            let (first, second) = (state.firstMoment + offset + start, state.secondMoment + offset + start)
            switch mode {
            case .decoupled:
                kernel_adamw(settings, values + start, gradient + start, first, second, range.count)
            case .l2:
                kernel_adam_l2(settings, values + start, gradient + start, first, second, range.count)
            case .unitRow:
                let norm = kernel_sum_of_squares(values + start, range.count).squareRoot()
                let decay = try WeightDecay(
                    mode: .unitRow, rate: decay, learningRate: Double(settings.learning_rate))
                let factor = isRow ? decay.factor(ofRowWithNorm: norm) : 1
                kernel_adamw_scaled(
                    settings, Float(factor), values + start, gradient + start, first, second, range.count)
            }
        }
        updateImportance(.gradient)
        switch kind {
        case .triplets(let outputs, _):
            try step(0..<outputs, decay: decayOfVectors)
            try step(outputs..<outputs + 1, decay: decayOfValues, isRow: false)
            try step(outputs + 1..<count, decay: decayOfVectors)
        case .dense: try step(0..<count, decay: decayOfHead)
        case .vector: try step(0..<count, decay: decayOfHead, isRow: false)
        }
        if let limit { kernel_clamp(values, limit, count) }
        if normalizes, case .triplets(let outputs, _) = kind { Self.normalize(values, outputs: outputs, count: count) }
        updateImportance(.update)
    }

    /// Makes the triplets of a new run as every step leaves them.
    func prepare(_ network: any TrainableNetwork) {
        guard normalizes, !startsNormalized else { return }
        for block in network.tripletBlocks {
            for row in block.rows {
                Self.normalize(
                    network.parameters.pointer + block.elements(ofRow: row).lowerBound, outputs: block.outputs ?? 0,
                    count: block.rowWidth)
            }
        }
    }

    /// Divides P_i and Q_i by their lengths and multiplies λ_i by both; a vector of zeros stays.
    static func normalize(_ row: UnsafeMutablePointer<Float>, outputs: Int, count: Int) {
        var magnitude = Double(row[outputs])
        for range in [0..<outputs, outputs + 1..<count] {
            let vector = row + range.lowerBound
            let norm = kernel_sum_of_squares(vector, range.count).squareRoot()
            guard norm > 0 else { continue }
            for index in 0..<range.count { vector[index] = Float(Double(vector[index]) / norm) }
            magnitude *= norm
        }
        row[outputs] = Float(magnitude)
    }
}
