import LinearAlgebra
public import MessagePassing
import Models
public import NeuralNetwork

/// Runs samples through a model without dropout, split over the processes.
public struct Evaluation {
    /// Samples that go through the network together. Each is a lane of its own, so that its logits depend neither on
    /// the others nor on the number of processes.
    static let chunkSize = 32

    private let model: AdaptedModel
    private let progressed: () -> Void

    /// - Parameter progressed: called for each group of samples.
    public init(model: AdaptedModel, progressed: @escaping () -> Void = {}) {
        self.model = model
        self.progressed = progressed
    }

    /// The logits of samples that this process runs alone: [samples][outputs].
    public func logits(of sequences: [TokenSequence]) -> [[Float]] {
        var result: [[Float]] = []
        result.reserveCapacity(sequences.count)
        for start in stride(from: 0, to: sequences.count, by: Self.chunkSize) {
            progressed()
            let chunk = Array(sequences[start..<min(start + Self.chunkSize, sequences.count)])
            let batch = PackedBatch(
                lanes: chunk.map { [$0] }, firstLane: 0, firstSlot: 0)
            let (logits, samples) = model.forward(batch, pass: .inference)
            result += samples.sequences.map { Array(logits.row($0.rows.lowerBound)) }
        }
        return result
    }

    /// The logits of all samples on every process: [samples][outputs].
    private func logits(of samples: TrainingSamples, _ communicator: borrowing Communicator) throws -> [[Float]] {
        let chunks = (samples.count + Self.chunkSize - 1) / Self.chunkSize
        let (index, count) = (communicator.processIndex, communicator.processCount)
        func firstSample(_ process: Int) -> Int { min(process * chunks / count * Self.chunkSize, samples.count) }
        let own = (firstSample(index)..<firstSample(index + 1)).map { samples[$0].sequence }
        let all = try communicator.allGathered(varying: logits(of: own).flatMap(\.self)).elements
        let outputs = model.outputCount
        return (0..<samples.count).map { Array(all[$0 * outputs..<($0 + 1) * outputs]) }
    }

    /// The metrics of labelled samples, the same on every process.
    public func metrics(of samples: TrainingSamples, _ communicator: borrowing Communicator) throws -> Metrics {
        let logits = try logits(of: samples, communicator)
        let losses = zip(logits, samples.targets).map { logits, target in
            var gradient = [Float](repeating: 0, count: logits.count)
            return logits.withUnsafeBufferPointer { logits in
                gradient.withUnsafeMutableBufferPointer {
                    samples.loss.evaluate(logits: logits, target: target, sampleCount: 1, gradient: $0)
                }
            }
        }
        switch samples.loss {
        case .crossEntropy:
            return Metrics(
                predicted: logits.map(Self.largest), expected: samples.targets.map { Int($0) },
                classCount: model.outputCount, meanLoss: losses.reduce(0, +) / Double(max(losses.count, 1)))
        case .meanSquaredError:
            return Metrics(
                predicted: logits.map { Double($0.first ?? 0) }, expected: samples.targets.map(Double.init))
        }
    }

    /// The index of the largest logit, the first among equals.
    static func largest(_ logits: [Float]) -> Int {
        logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    }
}
