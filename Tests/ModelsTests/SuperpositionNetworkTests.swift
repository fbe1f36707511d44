import LinearAlgebra
import Models
import NeuralNetwork
import Testing

@Suite("Superposition network")
struct SuperpositionNetworkTests {
    private let settings = SuperpositionNetwork.Settings(features: 23, hidden: 5, exponent: 0.7, seed: 11)

    /// The loss as it is defined, in double precision and with all zeros of x.
    private func loss(
        _ parameters: [Double], of x: [[Double]], features n: Int, hidden m: Int
    ) -> Double {
        x.reduce(0) { sum, x in
            let h = (0..<m).map { j in (0..<n).reduce(0.0) { $0 + parameters[$1 * m + j] * x[$1] } }
            return sum
                + (0..<n).reduce(0.0) { sum, i in
                    let z = (0..<m).reduce(parameters[n * m + i]) { $0 + parameters[i * m + $1] * h[$1] }
                    let difference = max(z, 0) - x[i]
                    return sum + difference * difference
                }
        }
    }

    private func dense(_ network: SuperpositionNetwork, _ samples: [Int], _ split: SparseFeatures.Split) -> [[Double]] {
        samples.map { index in
            var x = [Double](repeating: 0, count: network.settings.features)
            for (feature, value) in network.data.activeFeatures(ofSample: index, of: split) {
                x[feature] = Double(value)
            }
            return x
        }
    }

    private func gradients(
        _ network: SuperpositionNetwork, _ samples: [Int], _ tree: LaneTree, processes: Int
    ) -> (losses: [Double], gradient: [Float]) {
        var sums: [(node: LaneTree.Node, value: UnsafeMutablePointer<Float>)] = []
        var keep: [LaneGradients] = []
        var losses: [Double] = []
        for process in 0..<processes {
            let lanes = tree.lanes(ofProcess: process, of: processes)
            let gradients = LaneGradients(tree: tree, lanes: lanes, layout: network.layout)
            losses += network.computeGradients(
                samples: samples, lanes: lanes, tree: tree, pass: .training(seed: 0, step: 0), gradients: gradients)
            for (index, node) in gradients.nodes.enumerated() { sums.append((node, gradients.sum(ofNode: index))) }
            keep.append(gradients)
        }
        let count = network.layout.elementCount
        let total = tree.completed(sums, count: count)
        defer { withExtendedLifetime(keep) {} }
        return (losses, Array(UnsafeBufferPointer(start: total, count: count)))
    }

    @Test("loss and gradients are those of the definition, by central differences", arguments: [true, false])
    func gradient(startsWithRandomBias: Bool) {
        var settings = settings
        settings.startsWithRandomBias = startsWithRandomBias
        let network = SuperpositionNetwork(settings)
        // With repetitions, and past one piece of 128.
        let samples = (0..<150).map { $0 * 7 % 140 }
        let (losses, gradient) = gradients(network, samples, LaneTree(laneCount: 1), processes: 1)
        let x = dense(network, samples, .training)
        var parameters = network.parameters.elements.map(Double.init)
        func mean() -> Double {
            loss(parameters, of: x, features: settings.features, hidden: settings.hidden) / Double(samples.count)
        }
        // Single precision.
        let (found, expected) = (losses[0] / Double(samples.count), mean())
        #expect(abs(found - expected) < 1e-5 * expected)
        let largest = Double(gradient.map(abs).max() ?? 0)
        var worst = 0.0
        for index in parameters.indices {
            let value = parameters[index]
            parameters[index] = value + 1e-6
            let above = mean()
            parameters[index] = value - 1e-6
            let difference = (above - mean()) / 2e-6
            parameters[index] = value
            worst = max(worst, abs(difference - Double(gradient[index])))
        }
        // The differences carry eight digits, the gradients are sums of some hundred numbers in single precision.
        #expect(largest > 0 && worst < 1e-5 * largest, "off by \(worst) of \(largest)")
    }

    @Test("gradients and losses have the same bits however the lanes are dealt")
    func lanes() {
        let network = SuperpositionNetwork(settings)
        let tree = LaneTree(laneCount: 5)
        for batch in [61, 3] {
            let samples = Array(40..<40 + batch)
            let whole = gradients(network, samples, tree, processes: 1)
            for processes in 2...5 {
                let parts = gradients(network, samples, tree, processes: processes)
                #expect(parts.losses == whole.losses)
                #expect(parts.gradient.map(\.bitPattern) == whole.gradient.map(\.bitPattern), "\(processes) processes")
            }
        }
    }

    @Test("evaluation is the mean loss of samples that are not those of the training")
    func evaluation() {
        let network = SuperpositionNetwork(settings)
        let expected =
            loss(
                network.parameters.elements.map(Double.init), of: dense(network, Array(10..<300), .evaluation),
                features: settings.features, hidden: settings.hidden) / 290
        #expect(abs(network.evaluate(10..<300).reduce(0, +) / 290 - expected) < 1e-5 * expected)
    }
}
