public import Images
public import LinearAlgebra
import Models
public import NeuralNetwork
import Randomness

/// An image network that learns the classes of images. Lanes go through it one after the other, so that their numbers depend
/// neither on each other nor on which process holds them.
public final class ImageClassifier: TrainableNetwork {
    public let model: ImageModel
    public let images: ImageSet
    public let transform: ImageTransform
    private let limit: Int?
    private let input = Matrix()  // [rows of images, channels]
    private let logitsGradient = Matrix()  // [samples, classes]

    /// - Parameters:
    ///   - images: whose channels are the network's, and whose labels its classes.
    ///   - limit: images that are used, from the first; nil uses all.
    public init(model: ImageModel, images: ImageSet, transform: ImageTransform, limit: Int? = nil) {
        self.limit = limit
        self.model = model
        self.images = images
        self.transform = transform
    }

    public var layout: ParameterLayout { model.layout }
    public var parameters: Matrix { model.parameters }
    public var sampleCount: Int? { min(images.count, limit ?? .max) }

    public func computeGradients(
        samples: [Int], lanes: Range<Int>, tree: LaneTree, pass: Pass, gradients: LaneGradients
    ) -> [Double] {
        var losses = [Double](repeating: 0, count: lanes.count)
        gradients.setLaneByLane(layout) { lane, gradients in
            let slots = tree.slots(ofLane: lanes.lowerBound + lane, batchSize: samples.count)
            let maps = FeatureMaps(samples: slots.count, height: transform.side, width: transform.side)
            input.resize(rows: maps.rowCount, columns: images.channels)
            for (position, slot) in slots.enumerated() {
                let stream = RandomStream(seed: pass.seed, purpose: .augmentation, step: pass.step, sample: slot)
                transform.write(
                    samples[slot], of: images,
                    draw: ImageTransform.Draw(stream, margin: transform.margin, flips: transform.flips),
                    to: input.pointer + position * maps.places * images.channels)
            }
            let logits = model.forward(input.view, maps: maps, firstSlot: slots.lowerBound, pass: pass)
            logitsGradient.resize(rows: slots.count, columns: model.outputCount)
            for (position, slot) in slots.enumerated() {
                losses[lane] += Loss.crossEntropy.evaluate(
                    logits: logits.row(position), target: Float(images.labels[samples[slot]]),
                    sampleCount: samples.count, gradient: logitsGradient.mutableView.row(position))
            }
            model.backward(logitsGradient.view, images: input.view, pass: pass, gradients: gradients)
        }
        return losses
    }

    public func removeTriplets(keeping mask: [Bool]) { model.removeTriplets(keeping: mask) }
}
