internal import CKernels

/// How important an entry of the adapter is taken to be.
public enum ImportanceMeasure: String, Sendable, CaseIterable {
    /// s(w) = Ī·Ū, smoothed sensitivity times uncertainty (equations 9 to 11).
    case ipt
    /// s(w) = I = |w·g| of the current step alone (Table 4).
    case sensitivity
    /// S = |λ_i|, the singular value's size alone (Table 4).
    case magnitude
}

/// The importance of triplets, one contiguous row `[P_i | λ_i | Q_i]` at a time.
public struct Importance: Sendable {
    public let measure: ImportanceMeasure
    /// β1, smoothing of the sensitivity.
    public let beta1: Float
    /// β2, smoothing of the uncertainty.
    public let beta2: Float

    public init(measure: ImportanceMeasure, beta1: Double, beta2: Double) {
        self.measure = measure
        // Without smoothing, Ī is the current sensitivity itself.
        self.beta1 = measure == .sensitivity ? 0 : Float(beta1)
        self.beta2 = Float(beta2)
    }

    /// Updates Ī and Ū of some entries (equations 9 and 10).
    ///
    /// - Parameters:
    ///   - values: w, [count].
    ///   - gradient: of the whole objective, [count].
    ///   - gradientFactor: multiplies the gradient first (clipping).
    ///   - smoothed: Ī, [count].
    ///   - uncertainty: Ū, [count].
    public func update(
        values: UnsafePointer<Float>, gradient: UnsafePointer<Float>, gradientFactor: Float = 1,
        smoothed: UnsafeMutablePointer<Float>, uncertainty: UnsafeMutablePointer<Float>, count: Int
    ) {
        kernel_importance(beta1, beta2, gradientFactor, values, gradient, smoothed, uncertainty, count)
    }

    /// S of one triplet: s(λ) + mean s(P_i) + mean s(Q_i) (equation 8).
    ///
    /// - Parameters:
    ///   - values, smoothed, uncertainty: the triplet's row of each, [outputs + 1 + inputs].
    public func score(
        values: UnsafePointer<Float>, smoothed: UnsafePointer<Float>, uncertainty: UnsafePointer<Float>, outputs: Int,
        inputs: Int
    ) -> Float {
        func mean(from start: Int, _ count: Int) -> Double {
            let sum =
                measure == .ipt
                ? kernel_dot(smoothed + start, uncertainty + start, count) : kernel_sum(smoothed + start, count)
            return sum / Double(max(count, 1))
        }
        if measure == .magnitude { return abs(values[outputs]) }
        return Float(mean(from: outputs, 1) + mean(from: 0, outputs) + mean(from: outputs + 1, inputs))
    }
}
