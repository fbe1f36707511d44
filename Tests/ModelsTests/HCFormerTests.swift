import Diagnostics
import FixtureFiles
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
import Safetensors
import Testing

/// PyTorch's values in double precision; see Tests/goldens/make_image_goldens.py.
private struct Golden: Decodable {
    let images, logits, largerImages, largerLogits: [[Double]]
    let labels: [Int]
    let loss: Double
}

private func configuration() throws -> HCFormerConfiguration {
    let path = Fixture.path("small-hcformer/config.json")
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    return try HCFormerConfiguration(json: #require(json as? [String: Any]), path: path)
}

/// The network with every tensor trained, holding the values of a file.
private struct TrainedNetwork {
    let network: HCFormer
    let head: DenseHead
    let layout: ParameterLayout
    let parameters: Matrix

    init(_ configuration: HCFormerConfiguration, tensors file: TensorFolder?) throws {
        let trained = TrainedTensors(configuration.tensors.map(\.laidOut))
        let (layout, parameters) = (trained.layout, trained.parameters)
        let blocks = Dictionary(layout.blocks.map { ($0.name, $0) }) { first, _ in first }
        for tensor in configuration.tensors {
            guard let block = blocks[tensor.name], let file else { continue }
            let values = try file.floats(of: tensor.name, shape: tensor.shape)
            (parameters.pointer + block.elements.lowerBound).update(from: values, count: values.count)
        }
        network = try HCFormer(configuration: configuration, tensors: trained.source())
        head = DenseHead(
            weight: try #require(blocks["head.weight"]), bias: try #require(blocks["head.bias"]),
            parameters: parameters.pointer, dropout: Dropout(site: 1, probability: 0))
        self.layout = layout
        self.parameters = parameters
    }

    func logits(_ images: Matrix, _ maps: FeatureMaps, pass: Pass) -> Matrix {
        let features = network.forward(images.view, maps: maps, firstSlot: 0, pass: pass)
        let logits = Matrix(rows: maps.samples, columns: network.configuration.classCount)
        head.forward(
            features, into: logits.mutableView, batch: .oneLane(samples: maps.samples, rowsEach: 1), pass: pass)
        return logits
    }
}

private func matrix(_ rows: [[Double]]) -> Matrix {
    Matrix(rows: rows.count, columns: rows[0].count, elements: rows.flatMap { $0.map(Float.init) })
}

@Suite("HCFormer")
struct HCFormerTests {
    @Test(
        "the paper's sizes have their numbers of parameters",
        arguments: [
            (HCFormerConfiguration.Size.nano, 5_325_650), (.tiny, 6_952_690), (.small, 16_108_270),
            (.medium, 33_648_356),
        ])
    func parameterCounts(size: HCFormerConfiguration.Size, expected: Int) {
        let configuration = HCFormerConfiguration(size: size)
        #expect(configuration.parameterCount == expected)
        #expect(configuration.problem == nil)
    }

    @Test("a configuration is what its JSON says")
    func jsonRoundTrip() throws {
        for size in HCFormerConfiguration.Size.allCases {
            let configuration = HCFormerConfiguration(size: size, imageSide: 32, channels: 1, classCount: 10)
            let data = try JSONSerialization.data(withJSONObject: configuration.json)
            let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(try HCFormerConfiguration(json: json, path: "config.json") == configuration)
        }
    }

    @Test(
        "a configuration that makes no network is refused in one line",
        arguments: [
            #"{"depths": []}"#, #"{"depths": [2, 2]}"#, #"{"depths": "two"}"#, #"{"windows": [7, 7, 1]}"#,
            #"{"windows": 0}"#, #"{"head_dim": 9000}"#, #"{"image_size": 3}"#, #"{"curvature": -1}"#,
            #"{"hidden_sizes": [1.5, 2, 3, 4]}"#, #"{"image_size": 4096, "patch_size": 1, "patch_centers": 32}"#,
            #"{"head_dim": 8000, "num_attention_heads": 4}"#, #"{"id2label": {}}"#, #"{"depths": [1e30]}"#,
        ])
    func refusals(text: String) throws {
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let error = #expect(throws: ModelError.self) { try HCFormerConfiguration(json: json, path: "config.json") }
        let message = try #require(error).description
        #expect(message.hasPrefix("config.json: ") && !message.contains("\n"))
    }

    @Test("logits are PyTorch's, at the size it was made for and at another, where windows do not fit")
    func logits() throws {
        let golden: Golden = try Fixture.json("small-hcformer/golden.json")
        let network = try TrainedNetwork(configuration(), tensors: TensorFolder(path: Fixture.path("small-hcformer")))
        for (images, expected, side) in [
            (golden.images, golden.logits, 12), (golden.largerImages, golden.largerLogits, 18),
        ] {
            let found = network.logits(
                matrix(images), FeatureMaps(samples: expected.count, height: side, width: side), pass: .inference)
            for (sample, row) in expected.enumerated() {
                for (column, value) in row.enumerated() {
                    // Single precision through eleven layers.
                    #expect(abs(Double(found[sample, column]) - value) < 1e-5)
                }
            }
        }
    }

    @Test("the loss and the gradient of every tensor are PyTorch's")
    func gradients() throws {
        let golden: Golden = try Fixture.json("small-hcformer/golden.json")
        let folder = Fixture.path("small-hcformer")
        let trained = try TrainedNetwork(configuration(), tensors: TensorFolder(path: folder))
        let count = golden.labels.count
        let images = matrix(golden.images)
        let maps = FeatureMaps(samples: count, height: 12, width: 12)
        let pass = Pass.training(seed: 0, step: 0)
        let logits = trained.logits(images, maps, pass: pass)
        let logitsGradient = Matrix(rows: count, columns: 3)
        let losses = golden.labels.enumerated().map { sample, label in
            Loss.crossEntropy.evaluate(
                logits: logits.view.row(sample), target: Float(label), sampleCount: count,
                gradient: logitsGradient.mutableView.row(sample))
        }
        #expect(abs(losses.reduce(0, +) / Double(count) - golden.loss) < 1e-5)
        let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: trained.layout)
        let featuresGradient = Matrix(rows: count, columns: trained.network.featureWidth)
        trained.head.backward(
            logitsGradient.view, inputGradient: featuresGradient.mutableView,
            batch: .oneLane(samples: count, rowsEach: 1), gradients: gradients)
        trained.network.backward(featuresGradient.view, images: images.view, pass: pass, gradients: gradients)

        let expected = try SafetensorsFile(path: folder + "/gradients.safetensors")
        for (tensor, block) in zip(try configuration().tensors, trained.layout.blocks) {
            let values = try expected.floats(of: tensor.name, shape: tensor.shape)
            let scale = values.map { abs(Double($0)) }.max() ?? 0
            for (index, value) in values.enumerated() {
                let found = gradients.sum(ofNode: 0)[block.elements.lowerBound + index]
                // Relative to the tensor's largest, with an absolute floor for those that are all but 0.
                #expect(
                    abs(Double(found) - Double(value)) < 2e-5 * scale + 1e-7,
                    "\(tensor.name)[\(index)]: \(found), expected \(value)")
            }
        }
        withExtendedLifetime((logits, logitsGradient, featuresGradient)) {}
    }
}
