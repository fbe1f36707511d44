import LinearAlgebra
package import MessagePassing
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
    ///
    /// - Parameter alone: this process.
    package static func run(
        features: Int, hidden: Int, batch: Int, steps: Int, _ alone: borrowing Communicator
    ) throws -> SuperpositionBenchmark {
        BLASLibrary.setThreads(1)
        let cell = SweepCell(
            m: hidden, alpha: 1, gamma: -1, n: features, seed: 0, bias: .normal, steps: 20_000, batchSize: batch,
            lr: 1e-2, warmupSteps: 2_000, evaluationSamples: 1)
        let run = SuperpositionRun(cell.configuration)
        let trainer = try Trainer(configuration: run.configuration, network: run.network, alone)
        let watch = StepWatch()
        let (rows, outputs) = (Matrix(rows: batch, columns: hidden), Matrix(rows: batch, columns: features))
        let gradient = Matrix(rows: features, columns: hidden)
        var (stepTimes, productTimes, loss) = ([Double](), [Double](), 0.0)
        for round in 0..<steps + 2 {
            let stepTime = try seconds {
                loss = try trainer.takeStep(watch: watch, checkpoint: .none, alone).taskLoss
            }
            let productTime = seconds {
                multiply(rows.view, .none, run.superposition.weight, .transposed, into: outputs.mutableView)
                multiply(outputs.view, .none, run.superposition.weight, .none, into: rows.mutableView)
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
