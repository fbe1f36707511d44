import Foundation

/// What a network is trained to do, with its loss.
public enum Loss: Sendable {
    /// −log softmax(logits)[target], targets being classes.
    case crossEntropy
    /// (logit − target)², one logit for each sample.
    case meanSquaredError

    /// The loss of one sample and, divided by the number of samples in the global batch, its gradient.
    ///
    /// - Parameters:
    ///   - logits: [classes], or one number.
    ///   - target: the class, or the number.
    ///   - sampleCount: samples of the global batch, whose mean the objective is.
    ///   - gradient: [classes]; replaced.
    /// - Returns: the loss, not divided.
    public func evaluate(
        logits: UnsafeBufferPointer<Float>, target: Float, sampleCount: Int,
        gradient: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        switch self {
        case .crossEntropy:
            let largest = Double(logits.max() ?? 0)
            let sum = logits.reduce(0.0) { $0 + exp(Double($1) - largest) }
            for (index, logit) in logits.enumerated() {
                let probability = exp(Double(logit) - largest) / sum
                gradient[index] = Float((probability - (index == Int(target) ? 1 : 0)) / Double(sampleCount))
            }
            return log(sum) + largest - Double(logits[Int(target)])
        case .meanSquaredError:
            let difference = Double(logits[0]) - Double(target)
            gradient[0] = Float(2 * difference / Double(sampleCount))
            return difference * difference
        }
    }
}
