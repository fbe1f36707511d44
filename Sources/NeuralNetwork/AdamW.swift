package import CKernels

/// AdamW (Loshchilov and Hutter 2019), as PyTorch's `torch.optim.AdamW` computes it.
public struct AdamW: Sendable {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    /// Decoupled weight decay.
    public let weightDecay: Double

    public init(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    /// The update of one training step, for any run of parameters.
    public struct Update {
        package let settings: kernel_adamw_settings

        /// Updates parameters and moments in place, [count] each.
        public func apply(
            to values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
            firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, count: Int
        ) {
            kernel_adamw(settings, values, gradient, firstMoment, secondMoment, count)
        }
    }

    /// - Parameters:
    ///   - step: counted from 0.
    ///   - learningRate: of this step.
    ///   - gradientFactor: multiplies the gradient first (clipping).
    public func update(step: Int, learningRate: Double, gradientFactor: Float) -> Update {
        func power(_ base: Double, _ exponent: Int) -> Double {
            var (result, square, rest) = (1.0, base, exponent)
            while rest > 0 {
                if rest & 1 == 1 { result *= square }
                square *= square
                rest >>= 1
            }
            return result
        }
        return Update(
            settings: kernel_adamw_settings(
                learning_rate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
                weight_decay: Float(weightDecay), first_correction: Float(1 - power(beta1, step + 1)),
                second_correction: Float((1 - power(beta2, step + 1)).squareRoot()), gradient_factor: gradientFactor))
    }
}

/// Σ values², in double precision, in an order that depends on the count alone.
public func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double { kernel_sum_of_squares(values, count) }
