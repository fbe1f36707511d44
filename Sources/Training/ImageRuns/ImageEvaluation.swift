public import Images
import LinearAlgebra
public import MessagePassing
import NeuralNetwork

/// Runs images through a model, split over the processes.
public struct ImageEvaluation {
    private let model: ImageModel
    private let transform: ImageTransform
    private let progressed: () -> Void

    /// - Parameter progressed: called for each group of images.
    public init(model: ImageModel, transform: ImageTransform, progressed: @escaping () -> Void = {}) {
        self.model = model
        self.transform = transform
        self.progressed = progressed
    }

    /// Images that go through the network together: fewer of large ones, for the memory's sake.
    private var chunkSize: Int { max(1, min(64, 400_000 / (transform.side * transform.side))) }

    /// The logits of images that this process runs alone: [images · classes].
    public func logits(of images: ImageSet, range: Range<Int>) -> [Float] {
        let input = Matrix()
        var result: [Float] = []
        result.reserveCapacity(range.count * model.outputCount)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: chunkSize) {
            progressed()
            let chunk = start..<min(start + chunkSize, range.upperBound)
            let maps = FeatureMaps(samples: chunk.count, height: transform.side, width: transform.side)
            input.resize(rows: maps.rowCount, columns: images.channels)
            for (position, index) in chunk.enumerated() {
                transform.write(
                    index, of: images, draw: nil, to: input.pointer + position * maps.places * images.channels)
            }
            let logits = model.forward(input.view, maps: maps, firstSlot: 0, pass: .inference)
            for sample in 0..<chunk.count { result += logits.row(sample) }
        }
        return result
    }

    /// The metrics of labelled images, the same on every process.
    public func metrics(of images: ImageSet, _ communicator: borrowing Communicator) throws -> Metrics {
        let (index, count) = (communicator.processIndex, communicator.processCount)
        let own = index * images.count / count..<(index + 1) * images.count / count
        let all = try communicator.allGathered(varying: logits(of: images, range: own)).elements
        let classes = model.outputCount
        var losses = 0.0
        var predicted: [Int] = []
        var gradient = [Float](repeating: 0, count: classes)
        for sample in 0..<images.count {
            let logits = Array(all[sample * classes..<(sample + 1) * classes])
            predicted.append(Evaluation.largest(logits))
            losses += logits.withUnsafeBufferPointer { logits in
                gradient.withUnsafeMutableBufferPointer {
                    Loss.crossEntropy.evaluate(
                        logits: logits, target: Float(images.labels[sample]), sampleCount: 1, gradient: $0)
                }
            }
        }
        return Metrics(
            predicted: predicted, expected: images.labels, classCount: classes,
            meanLoss: losses / Double(max(images.count, 1)))
    }
}
