import FixtureFiles
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat
import Testing

@testable import Training

/// What PEFT computes with adapters on a small random BERT; see Tests/goldens/make_goldens.py.
struct AdapterGolden: Decodable {
    struct Sequence: Decodable {
        let inputIds: [Int32]
        let tokenTypeIds: [Int32]
    }

    struct Labels: Decodable {
        let classes: [Int]
        let values: [Double]
    }

    struct Gradient: Decodable {
        let shape: [Int]
        let values: [Double]
    }

    struct Task: Decodable {
        let logits: [[Double]]
        let loss: Double
        let gradients: [String: Gradient]
    }

    struct Pruned: Decodable { let logits: [[Double]] }

    let sequences: [Sequence]
    let labels: Labels
    let classification: Task
    let regression: Task
    let pruned: Pruned

    var tokens: [TokenSequence] { sequences.map { TokenSequence(tokens: $0.inputIds, types: $0.tokenTypeIds) } }
}

extension AdapterGolden {
    /// A model's loss on the sequences, mean over them, and its gradient, summed over three lanes.
    func evaluate(
        _ model: AdaptedModel, isRegression: Bool = false, pass: Pass
    ) -> (loss: Double, gradients: LaneGradients) {
        let lanes = [tokens[..<5], tokens[5..<6], tokens[6...]].map(Array.init)
        let batch = PackedBatch(lanes: lanes, firstLane: 0, firstSlot: 0)
        let (logits, samples) = model.forward(batch, pass: pass)
        let logitsGradient = Matrix(rows: samples.rowCount, columns: model.outputCount)
        let loss: Loss = isRegression ? .meanSquaredError : .crossEntropy
        let total = samples.sequences.reduce(0.0) { sum, sample in
            let target = isRegression ? Float(labels.values[sample.slot]) : Float(labels.classes[sample.slot])
            let row = sample.rows.lowerBound
            return sum
                + loss.evaluate(
                    logits: logits.row(row), target: target, sampleCount: tokens.count,
                    gradient: logitsGradient.mutableView.row(row))
        }
        let gradients = LaneGradients(tree: LaneTree(laneCount: 3), lanes: 0..<3, layout: model.layout)
        model.backward(logitsGradient.view, pass: pass, gradients: gradients)
        withExtendedLifetime(logitsGradient) {}
        return (total / Double(tokens.count), gradients)
    }
}

@Suite("Adapters compute what PEFT computes")
struct AdapterGoldenTests {
    private let golden: AdapterGolden

    init() throws {
        golden = try Fixture.json("tiny-bert-golden.json")
    }

    private func trained(_ adapter: String) throws -> TrainedModel {
        try TrainedModel(path: Fixture.path(adapter), baseModel: Fixture.path("tiny-bert"))
    }

    @Test("logits of whole and pruned adapters, modules at rank 0 included")
    func logits() throws {
        for (adapter, expected) in [
            ("tiny-bert-adapter", golden.classification.logits),
            ("tiny-bert-regression-adapter", golden.regression.logits),
            ("tiny-bert-pruned-adapter", golden.pruned.logits),
        ] {
            let logits = Evaluation(model: try trained(adapter).model).logits(of: golden.tokens)
            #expect(logits.count == expected.count)
            for (found, reference) in zip(logits.joined(), expected.joined()) {
                // PyTorch's own single precision is off by up to 1.2e-6 here.
                #expect(abs(Double(found) - reference) < 1e-5, "\(adapter)")
            }
        }
    }

    @Test("loss and the gradients of every triplet and of the head", arguments: [true, false])
    func gradients(isRegression: Bool) throws {
        let task = isRegression ? golden.regression : golden.classification
        let model = try trained(isRegression ? "tiny-bert-regression-adapter" : "tiny-bert-adapter").model
        let (loss, gradients) = golden.evaluate(model, isRegression: isRegression, pass: .training(seed: 0, step: 0))
        #expect(abs(loss - task.loss) < 1e-5 * max(1, task.loss))

        let found = gradients.sum(ofNode: 0)
        var compared = 0
        func compare(_ name: String, at place: (Int) -> Int) throws {
            let expected = try #require(task.gradients["base_model.model." + name])
            let largest = expected.values.map(abs).max() ?? 0
            for (index, reference) in expected.values.enumerated() {
                // Sums over up to 240 tokens in single precision, relative to the tensor's largest element.
                #expect(abs(Double(found[place(index)]) - reference) < 2e-5 * largest + 1e-7, "\(name) [\(index)]")
            }
            compared += 1
        }
        for block in model.tripletBlocks {
            let (start, width) = (block.elements.lowerBound, block.rowWidth)
            let (rank, outputs, inputs) = (block.rows.count, block.outputs ?? 0, block.inputs ?? 0)
            try compare(block.name + ".lora_A") { start + $0 / inputs * width + outputs + 1 + $0 % inputs }
            try compare(block.name + ".lora_B") { start + $0 % rank * width + $0 / rank }
            try compare(block.name + ".lora_E") { start + $0 * width + outputs }
        }
        for block in model.layout.blocks where !block.isTriplets {
            try compare(block.name) { block.elements.lowerBound + $0 }
        }
        #expect(compared == task.gradients.count)
        withExtendedLifetime((model, gradients)) {}
    }
}

@Suite("Ownership")
struct ParameterPartitionTests {
    @Test("rows are dealt in contiguous, balanced ranges, whole rows each", arguments: 1...9)
    func balance(processCount: Int) {
        var layout = ParameterLayout()
        layout.appendTriplets(name: "a", count: 5, outputs: 30, inputs: 10)
        layout.appendTriplets(name: "b", count: 4, outputs: 2, inputs: 3)
        layout.appendTriplets(name: "c", count: 0, outputs: 9, inputs: 9)
        layout.appendDense(name: "head", rows: 3, columns: 40)
        let partition = ParameterPartition(layout: layout, processCount: processCount)
        #expect(partition.rows.count == processCount)
        #expect(partition.rows.flatMap { Array($0) } == Array(0..<layout.rowCount))
        #expect(partition.elements.flatMap { Array($0) } == Array(0..<layout.elementCount))
        for (rows, elements) in zip(partition.rows, partition.elements) {
            let width = layout.blocks.reduce(0) { $0 + $1.rows.clamped(to: rows).count * $1.rowWidth }
            #expect(width == elements.count)
            // No process is off the mean by more than the longest row.
            #expect(abs(elements.count - layout.elementCount / processCount) <= 41 + 1)
        }
    }
}

@Suite("Metrics")
struct MetricsTests {
    @Test("of a classification with two classes")
    func twoClasses() {
        let metrics = Metrics(
            predicted: [1, 1, 0, 0, 1, 0], expected: [1, 0, 0, 1, 1, 0], classCount: 2, meanLoss: 0.5)
        #expect(metrics.accuracy == 4.0 / 6)
        #expect(metrics.f1 == 2.0 / 3)
        // (TP·TN − FP·FN)/√((TP+FP)(TP+FN)(TN+FP)(TN+FN)) = (4 − 1)/9.
        #expect(abs((metrics.matthewsCorrelation ?? 0) - 1.0 / 3) < 1e-12)
    }

    @Test("of more classes: macro F1, the general Matthews correlation, and 0 where it is not defined")
    func moreClasses() {
        let metrics = Metrics(
            predicted: [0, 1, 2, 2], expected: [0, 1, 1, 2], classCount: 3, meanLoss: 0)
        #expect(abs((metrics.f1 ?? 0) - (1 + 2.0 / 3 + 2.0 / 3) / 3) < 1e-12)
        // By scikit-learn: matthews_corrcoef([0, 1, 1, 2], [0, 1, 2, 2]) = 0.7.
        #expect(abs((metrics.matthewsCorrelation ?? 0) - 0.7) < 1e-12)
        let constant = Metrics(predicted: [0, 0], expected: [0, 1], classCount: 2, meanLoss: 0)
        #expect(constant.matthewsCorrelation == 0 && constant.f1 == 0)
    }

    private struct Golden: Decodable, Sendable {
        let classes: Int
        let truths: [Int]
        let predictions: [Int]
        let accuracy, f1, matthewsCorrelation: Double
    }

    @Test("accuracy, F1 and Matthews correlation are scikit-learn's, whatever classes occur")
    func goldens() throws {
        let goldens = try Fixture.json("metrics-golden.json", as: [Golden].self)
        #expect(goldens.count > 12)
        for golden in goldens {
            let metrics = Metrics(
                predicted: golden.predictions, expected: golden.truths, classCount: golden.classes, meanLoss: 0)
            // The same numbers, added in another order.
            for (found, expected) in [
                (metrics.accuracy, golden.accuracy), (metrics.f1, golden.f1),
                (metrics.matthewsCorrelation, golden.matthewsCorrelation),
            ] {
                #expect(
                    abs((found ?? .nan) - expected) < 1e-12, "\(golden.truths), predicted as \(golden.predictions)")
            }
        }
    }

    @Test("of a regression: correlations of values and of ranks with ties")
    func regression() {
        let metrics = Metrics(predicted: [1, 2, 3, 4], expected: [1, 2, 3, 10])
        #expect(metrics.meanSquaredError == 9)
        #expect(metrics.spearman == 1)
        // By scipy: pearsonr([1, 2, 3, 4], [1, 2, 3, 10]) = 0.8854377448471462.
        #expect(abs((metrics.pearson ?? 0) - 0.8854377448471462) < 1e-12)
        #expect(Metrics.ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2])
        #expect(Metrics(predicted: [1, 1], expected: [1, 2]).pearson == 0)
    }
}
