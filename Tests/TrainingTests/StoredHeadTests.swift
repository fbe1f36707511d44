import FixtureFiles
import Foundation
import LinearAlgebra
import Models
import NeuralNetwork
import Safetensors
import Testing

@testable import Training

@Suite("The head of a model's files")
struct StoredHeadTests {
    /// A run on a classifier with three classes (bad, good, neutral) and data with other labels.
    private func plan(labels: [String], method: TrainingConfiguration.Method = .adalora) throws -> RunPlan {
        let folder = try Fixture.TemporaryFolder()
        let rows = labels.map { "a fine film\t\($0)\nthe plot is dull\t\($0)\n" }.joined()
        try Data("text\tlabel\n\(rows)".utf8).write(to: URL(fileURLWithPath: folder.path + "/train.tsv"))
        var configuration = TrainingConfiguration(
            model: Fixture.path("tiny-bert-classifier"), train: folder.path + "/train.tsv",
            output: folder.path + "/run")
        configuration.method = method
        configuration.data.maximumLength = 32
        return try RunPlan(configuration)
    }

    private func weight(_ plan: RunPlan) throws -> [Float] {
        let block = try #require(plan.model.layout.blocks.first { $0.name == "classifier.weight" })
        return block.elements.map { plan.model.parameters.pointer[$0] }
    }

    private func stored() throws -> [Float] {
        try SafetensorsFile(path: Fixture.path("tiny-bert-classifier/model.safetensors")).floats(
            of: "classifier.weight", shape: [3, 32])
    }

    @Test(
        "is kept as the start where it tells the data's classes apart, and said so",
        arguments: [
            TrainingConfiguration.Method.adalora, .lora, .head, .full,
        ])
    func kept(method: TrainingConfiguration.Method) throws {
        let plan = try plan(labels: ["bad", "good", "neutral"], method: method)
        #expect(try weight(plan) == stored())
        #expect(plan.remarks.contains { $0.contains("its head for 3 classes is kept as the start") })
    }

    @Test("is replaced where it tells others apart, or has other outputs, and said so")
    func replaced() throws {
        for (labels, message) in [
            (["bad", "good", "great"], "its head tells bad, good, neutral apart, the data has bad, good, great"),
            (["bad", "good"], "its head has 3 outputs, which does not fit 2 classes"),
        ] {
            let plan = try plan(labels: labels)
            #expect(try weight(plan) != stored())
            #expect(plan.remarks.contains { $0.contains(message) }, "\(plan.remarks)")
        }
    }
}
