public import LinearAlgebra
import Models
public import NeuralNetwork

/// An adapted encoder that learns a label, or a number, from texts.
public final class TextLearner: TrainableNetwork {
    public let model: AdaptedModel
    public let samples: TrainingSamples
    private let limit: Int?
    private let logitsGradient = Matrix()  // [rows of samples, outputs]

    /// - Parameter limit: samples that are used, from the first; nil uses all.
    public init(model: AdaptedModel, samples: TrainingSamples, limit: Int? = nil) {
        self.limit = limit
        self.model = model
        self.samples = samples
    }

    public var layout: ParameterLayout { model.layout }
    public var parameters: Matrix { model.parameters }
    public var sampleCount: Int? { min(samples.count, limit ?? .max) }

    public func tokenCount(of samples: [Int]) -> Int {
        samples.reduce(0) { $0 + self.samples.tokenCount(of: $1) }
    }

    public func computeGradients(
        samples: [Int], lanes: Range<Int>, tree: LaneTree, pass: Pass, gradients: LaneGradients
    ) -> [Double] {
        let batch = samples.map { self.samples[$0] }
        func slots(_ lane: Int) -> Range<Int> { tree.slots(ofLane: lane, batchSize: batch.count) }
        let packed = PackedBatch(
            lanes: lanes.map { slots($0).map { batch[$0].sequence } }, firstLane: lanes.lowerBound,
            firstSlot: slots(lanes.lowerBound).lowerBound)
        let (logits, rows) = model.forward(packed, pass: pass)
        logitsGradient.resize(rows: rows.rowCount, columns: model.outputCount)
        logitsGradient.mutableView.clear()
        let laneLosses = rows.lanes.map { lane in
            rows.sequences[lane.sequences].reduce(0.0) { sum, sample in
                let row = sample.rows.lowerBound
                return sum
                    + self.samples.loss.evaluate(
                        logits: logits.row(row), target: batch[sample.slot].target, sampleCount: batch.count,
                        gradient: logitsGradient.mutableView.row(row))
            }
        }
        model.backward(logitsGradient.view, pass: pass, gradients: gradients)
        return laneLosses
    }

    public func removeTriplets(keeping mask: [Bool]) { model.removeTriplets(keeping: mask) }
}
