import LinearAlgebra
package import Models
import NeuralNetwork
import Randomness

/// Times whole training steps of an HCFormer on one process: forward, cross-entropy, backward, AdamW, on random images.
package struct ImageStepBenchmark: Codable, Sendable {
    package let parameters: Int
    package let imageSide: Int
    package let batchSize: Int
    package let threads: Int
    /// Median of the steps.
    package let stepSeconds: Double
    /// Median of the products of a step, and of what is left.
    package let productSeconds: Double
    package let otherSeconds: Double

    /// - Parameters:
    ///   - lanes: that a batch is worked through in.
    ///   - steps: that are measured, after one that is not.
    package static func run(
        size: HCFormerConfiguration.Size, imageSide: Int, batchSize: Int, lanes: Int, threads: Int, steps: Int
    ) throws -> ImageStepBenchmark {
        try ProcessThreads.use(threads, processesOfMachine: 1)
        let model = try ImageModel(HCFormerConfiguration(size: size, imageSide: imageSide))
        model.initializeTensors(seed: 0)
        let tree = LaneTree(laneCount: lanes)
        let gradients = LaneGradients(tree: tree, lanes: 0..<lanes, layout: model.layout)
        let places = imageSide * imageSide
        let images = Matrix(rows: batchSize * places, columns: model.configuration.channels)
        NormalSource(seed: 1).fill(
            UnsafeMutableBufferPointer(start: images.pointer, count: images.rows * images.columns), tensor: 0)
        let logitsGradient = Matrix()
        let (first, second) = (
            Matrix(rows: 1, columns: model.layout.elementCount), Matrix(rows: 1, columns: model.layout.elementCount)
        )
        let optimizer = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01)
        func step(_ index: Int) {
            let pass = Pass.training(seed: 0, step: index)
            gradients.setLaneByLane(model.layout) { lane, gradients in
                let slots = tree.slots(ofLane: lane, batchSize: batchSize)
                let maps = FeatureMaps(samples: slots.count, height: imageSide, width: imageSide)
                let input = images.view[rows: slots.lowerBound * places..<slots.upperBound * places]
                let logits = model.forward(input, maps: maps, firstSlot: slots.lowerBound, pass: pass)
                logitsGradient.resize(rows: slots.count, columns: model.outputCount)
                for (position, slot) in slots.enumerated() {
                    _ = Loss.crossEntropy.evaluate(
                        logits: logits.row(position), target: Float(slot % model.outputCount), sampleCount: batchSize,
                        gradient: logitsGradient.mutableView.row(position))
                }
                model.backward(logitsGradient.view, images: input, pass: pass, gradients: gradients)
            }
            optimizer.update(step: index, learningRate: 1e-3, gradientFactor: 1).apply(
                to: model.parameters.pointer, gradient: gradients.sum(ofNode: 0), firstMoment: first.pointer,
                secondMoment: second.pointer, count: model.layout.elementCount)
        }
        step(0)
        var (times, products) = ([Double](), [Double]())
        for index in 0..<steps {
            let start = ContinuousClock.now
            let record = WorkLog.recording { step(index + 1) }
            times.append(start.duration(to: .now).inSeconds)
            products.append(record.seconds[.products] ?? 0)
        }
        withExtendedLifetime((images, first, second)) {}
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        return ImageStepBenchmark(
            parameters: model.configuration.parameterCount, imageSide: imageSide, batchSize: batchSize,
            threads: threads, stepSeconds: median(times), productSeconds: median(products),
            otherSeconds: median(zip(times, products).map { $0 - $1 }))
    }

    package var text: String {
        """
        \(parameters) parameters, \(batchSize) images of \(imageSide) × \(imageSide), \(threads) thread\(threads == 1 ? "" : "s")
        step      \(Self.fixed(stepSeconds)) s (median)
        products  \(Self.fixed(productSeconds)) s
        the rest  \(Self.fixed(otherSeconds)) s
        """
    }

    private static func fixed(_ value: Double) -> String { ProgressLine.fixed(value, 3) }
}
