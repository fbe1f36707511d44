import LinearAlgebra
import Models
import NeuralNetwork

/// Forward and backward of some lanes of a global batch: what one process does of a step before it talks to the others.
struct LocalPass {
    let model: AdaptedModel
    let loss: Loss
    private let logitsGradient = Matrix()  // [rows of samples, outputs]

    init(model: AdaptedModel, loss: Loss) {
        self.model = model
        self.loss = loss
    }

    /// - Parameters:
    ///   - batch: all samples of the global batch, by slot.
    ///   - lanes: those to compute.
    ///   - gradients: of these lanes; set.
    /// - Returns: for each of the lanes, the sum of the losses of its samples.
    func run(
        _ batch: [TrainingSamples.Sample], lanes: Range<Int>, tree: LaneTree, pass: Pass, gradients: LaneGradients
    ) -> [Double] {
        func slots(_ lane: Int) -> Range<Int> {
            lane * batch.count / tree.laneCount..<(lane + 1) * batch.count / tree.laneCount
        }
        let packed = PackedBatch(
            lanes: lanes.map { slots($0).map { batch[$0].sequence } }, firstLane: lanes.lowerBound,
            firstSlot: slots(lanes.lowerBound).lowerBound, alignment: model.encoder.alignment)
        let (logits, samples) = model.forward(packed, pass: pass)
        logitsGradient.resize(rows: samples.rowCount, columns: model.outputCount)
        logitsGradient.mutableView.clear()
        let laneLosses = samples.lanes.map { lane in
            samples.sequences[lane.sequences].reduce(0.0) { sum, sample in
                let row = sample.rows.lowerBound
                return sum
                    + loss.evaluate(
                        logits: logits.row(row), target: batch[sample.slot].target, sampleCount: batch.count,
                        gradient: logitsGradient.mutableView.row(row))
            }
        }
        model.backward(logitsGradient.view, batch: packed, pass: pass, gradients: gradients)
        return laneLosses
    }
}
