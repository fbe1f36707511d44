import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import Safetensors
import Testing

@testable import Training

/// What transformers and PEFT compute with a small random encoder; see Tests/goldens/make_encoder_goldens.py.
struct EncoderGolden: Decodable {
    struct Sequence: Decodable {
        let inputIds: [Int32]
        let tokenTypeIds: [Int32]
    }

    struct Tensor: Decodable {
        let shape: [Int]
        let values: [Float]
    }

    let sequences: [Sequence]
    let lastHiddenState: [[[Double]]]
    let head: [String: Tensor]
    let logits: [[Double]]
    let labels: [Int]
    /// AdaLoRA's, of the adapter in adapter.safetensors.
    let loraAlpha: Float
    let rank: Int

    /// All sequences, in lanes of very different numbers of tokens.
    var batch: PackedBatch {
        let tokens = sequences.map { TokenSequence(tokens: $0.inputIds, types: $0.tokenTypeIds) }
        return PackedBatch(
            lanes: [Array(tokens[..<4]), Array(tokens[4..<5]), Array(tokens[5...])], firstLane: 0, firstSlot: 0)
    }

    /// Sets what a model's folder has not.
    func setHead(of model: AdaptedModel) throws {
        for block in model.layout.blocks {
            guard let tensor = head[block.name] else { continue }
            #expect(tensor.values.count == block.elements.count, "\(block.name)")
            (model.parameters.pointer + block.elements.lowerBound).update(
                from: tensor.values, count: tensor.values.count)
        }
    }

    /// The gradients of the mean loss, summed over three lanes.
    func gradients(_ model: AdaptedModel) -> LaneGradients {
        let pass = Pass.training(seed: 0, step: 0)
        let (logits, samples) = model.forward(batch, pass: pass)
        let logitsGradient = Matrix(rows: samples.rowCount, columns: model.outputCount)
        for sample in samples.sequences {
            let row = sample.rows.lowerBound
            _ = Loss.crossEntropy.evaluate(
                logits: logits.row(row), target: Float(labels[sample.slot]), sampleCount: labels.count,
                gradient: logitsGradient.mutableView.row(row))
        }
        let gradients = LaneGradients(tree: LaneTree(laneCount: 3), lanes: 0..<3, layout: model.layout)
        model.backward(logitsGradient.view, pass: pass, gradients: gradients)
        withExtendedLifetime(logitsGradient) {}
        return gradients
    }
}

@Suite("Encoders compute what transformers and PEFT compute")
struct EncoderGoldenTests {
    static let names = [
        "tiny-roberta", "tiny-xlm-roberta", "tiny-distilbert", "tiny-electra", "tiny-modernbert",
        "tiny-modernbert-mean", "tiny-deberta-v3", "tiny-deberta-v2", "tiny-mpnet",
    ]

    private static func golden(_ name: String) throws -> EncoderGolden {
        try Fixture.json("encoders/\(name)/golden.json")
    }

    private static func folder(_ name: String) -> String { Fixture.path("encoders/" + name) }

    /// Differences relative to the largest element.
    private func expectEqual(
        _ found: some Collection<Float>, _ expected: some Collection<Double>, _ name: String, within tolerance: Double
    ) {
        #expect(found.count == expected.count, "\(name)")
        let largest = expected.map(abs).max() ?? 0
        let worst = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
        // Some gradients are 0 but for rounding: that of a key's bias, for instance.
        #expect(worst <= tolerance * largest + 1e-7, "\(name): off by \(worst) of \(largest)")
    }

    @Test("hidden states and logits", arguments: names)
    func forward(name: String) throws {
        let golden = try Self.golden(name)
        let encoder = try ModelFolder.loadEncoder(path: Self.folder(name), dropout: 0)
        let hidden = encoder.hiddenStates(golden.batch, pass: .inference)
        let states = golden.batch.sequences.flatMap { sequence in sequence.rows.flatMap { Array(hidden.row($0)) } }
        expectEqual(states, golden.lastHiddenState.joined().joined(), "hidden states", within: 2e-5)
        let model = try AdaptedModel(
            encoder: encoder,
            adaptation: Adaptation(
                modules: [], denseLayers: encoder.missing.map(\.module), scale: 1, dropout: 0), outputCount: 3)
        try golden.setHead(of: model)
        let (logits, samples) = model.forward(golden.batch, pass: .inference)
        expectEqual(
            samples.sequences.flatMap { Array(logits.row($0.rows.lowerBound)) }, Array(golden.logits.joined()),
            "logits", within: 2e-5)
        withExtendedLifetime(model) {}
    }

    @Test("the gradient of every entry of an adapter, and of the head", arguments: names)
    func adapterGradients(name: String) throws {
        let golden = try Self.golden(name)
        let (adapter, expected) = (
            try SafetensorsFile(path: Self.folder(name) + "/adapter.safetensors"),
            try SafetensorsFile(path: Self.folder(name) + "/gradients.safetensors")
        )
        let encoder = try ModelFolder.loadEncoder(path: Self.folder(name), dropout: 0)
        let paths = encoder.linears.map(\.path).filter { adapter.tensor(named: $0 + ".lora_A") != nil }
        #expect(3 * paths.count == adapter.tensorNames.count, "every module of PEFT's is one of ours")
        let model = try AdaptedModel(
            encoder: encoder,
            adaptation: Adaptation(
                modules: paths.map { AdaptedModule(path: $0, rank: golden.rank) },
                denseLayers: encoder.missing.map(\.module), scale: golden.loraAlpha / (Float(golden.rank) + 1e-5),
                dropout: 0), outputCount: 3)
        try golden.setHead(of: model)
        /// Where PEFT's elements of a module's tensors lie.
        func parts(_ block: ParameterLayout.Block) -> [(suffix: String, shape: [Int], place: (Int) -> Int)] {
            let (start, width) = (block.elements.lowerBound, block.rowWidth)
            let (rank, outputs, inputs) = (block.rows.count, block.outputs ?? 0, block.inputs ?? 0)
            return [
                (".lora_A", [rank, inputs], { start + $0 / inputs * width + outputs + 1 + $0 % inputs }),
                (".lora_B", [outputs, rank], { start + $0 % rank * width + $0 / rank }),
                (".lora_E", [rank, 1], { start + $0 * width + outputs }),
            ]
        }
        for block in model.tripletBlocks {
            for (suffix, shape, place) in parts(block) {
                for (index, value) in try adapter.floats(of: block.name + suffix, shape: shape).enumerated() {
                    model.parameters.pointer[place(index)] = value
                }
            }
        }
        let gradients = golden.gradients(model)
        let found = gradients.sum(ofNode: 0)
        for block in model.tripletBlocks {
            for (suffix, shape, place) in parts(block) {
                let reference = try expected.floats(of: block.name + suffix, shape: shape)
                expectEqual(
                    reference.indices.map { found[place($0)] }, reference.map(Double.init), block.name + suffix,
                    within: 2e-5)
            }
        }
        for block in model.layout.blocks where !block.isTriplets {
            let reference = try expected.floats(of: block.name, shape: block.shape)
            expectEqual(
                block.elements.map { found[$0] }, reference.map(Double.init), block.name, within: 2e-5)
        }
        #expect(expected.tensorNames.count == 3 * paths.count + model.layout.blocks.count { !$0.isTriplets })
        withExtendedLifetime((model, gradients)) {}
    }

    @Test("the gradient of every parameter, where all is trained", arguments: names)
    func fullGradients(name: String) throws {
        let golden = try Self.golden(name)
        let expected = try SafetensorsFile(path: Self.folder(name) + "/full-gradients.safetensors")
        let model = try AdaptedModel(trainingAllOf: Self.folder(name), dropout: 0, outputCount: 3)
        try golden.setHead(of: model)
        let gradients = golden.gradients(model)
        let found = gradients.sum(ofNode: 0)
        let root = type(of: model.encoder.family).root
        var compared = 0
        for entry in model.encoder.tensors {
            let stored = entry.name.hasPrefix(root) ? String(entry.name.dropFirst(root.count)) : entry.name
            guard let block = model.layout.blocks.first(where: { $0.name == entry.name }),
                expected.tensor(named: stored) != nil
            else { continue }
            let reference = try expected.floats(of: stored, shape: entry.tensor.shape)
            expectEqual(
                block.elements.map { found[$0] }, reference.map(Double.init), entry.name, within: 2e-5)
            compared += 1
        }
        #expect(compared == expected.tensorNames.count)
        withExtendedLifetime((model, gradients)) {}
    }
}
