import AdaLoRA
import Foundation
import NeuralNetwork
import Randomness

/// Times the decision among many scores against one pass over them.
package struct SelectionBenchmark: Codable, Sendable {
    package let scores: Int
    /// Medians.
    package let selectSeconds: Double
    package let passSeconds: Double
    package let ratioToPass: Double

    /// - Parameters:
    ///   - valueBits: 2 to the power of this is the number of values that a score takes.
    ///   - rounds: pass and decision in turns.
    package static func run(scores count: Int, valueBits: Int, rounds: Int) -> SelectionBenchmark {
        // Splitmix64's finaliser of the index: scores without order, and few ties.
        let scores = (0..<count).map { index -> Float in
            var bits = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return Float(bits >> UInt64(64 - valueBits))
        }
        var (selects, passes) = ([Double](), [Double]())
        var sum = 0.0
        for _ in 0..<rounds {
            passes.append(
                seconds {
                    sum += scores.withUnsafeBufferPointer { $0.baseAddress.map { sumOfSquares($0, count: count) } ?? 0 }
                })
            selects.append(seconds { sum += Double(Selection(scores: scores, budget: count / 3).threshold ?? 0) })
        }
        precondition(sum.isFinite)
        return SelectionBenchmark(
            scores: count, selectSeconds: selects.median, passSeconds: passes.median,
            ratioToPass: zip(selects, passes).map { $0 / $1 }.median)
    }
}
