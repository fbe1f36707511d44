import LinearAlgebra
import Models
import NeuralNetwork

/// Times a step of a superposition network, from drawing its samples to the update, beside its three products alone.
package struct SuperpositionBenchmark: Codable, Sendable {
    package let features: Int
    package let hidden: Int
    package let batch: Int
    package let steps: Int
    /// Medians.
    package let stepSeconds: Double
    /// Of the same products, made at once over the whole batch.
    package let productSeconds: Double
    package let ratioToProducts: Double
    package let loss: Double

    /// One thread.
    package static func run(features: Int, hidden: Int, batch: Int, steps: Int) throws -> SuperpositionBenchmark {
        BLASLibrary.setThreads(1)
        let training = SuperpositionTraining(
            SuperpositionNetwork.Settings(features: features, hidden: hidden, exponent: 1, seed: 0), batchSize: batch,
            learningRate: LearningRate(
                peak: 1e-2, schedule: .cosine, warmUpSteps: 2_000, totalSteps: 20_000, lowestShare: 0.05),
            decay: -1)
        let (rows, outputs) = (Matrix(rows: batch, columns: hidden), Matrix(rows: batch, columns: features))
        let gradient = Matrix(rows: features, columns: hidden)
        var (stepTimes, productTimes, loss) = ([Double](), [Double](), 0.0)
        for round in 0..<steps + 2 {
            let stepTime = try seconds { loss = try training.takeStep() }
            let productTime = seconds {
                multiply(rows.view, .none, training.network.weight, .transposed, into: outputs.mutableView)
                multiply(outputs.view, .none, training.network.weight, .none, into: rows.mutableView)
                multiply(outputs.view, .transposed, rows.view, .none, into: gradient.mutableView)
            }
            guard round >= 2 else { continue }
            stepTimes.append(stepTime)
            productTimes.append(productTime)
        }
        return SuperpositionBenchmark(
            features: features, hidden: hidden, batch: batch, steps: steps, stepSeconds: stepTimes.median,
            productSeconds: productTimes.median, ratioToProducts: zip(stepTimes, productTimes).map { $0 / $1 }.median,
            loss: loss)
    }
}
