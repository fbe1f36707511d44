import Foundation
import LinearAlgebra
import Models
import PEFTFormat
import Training

/// A model with its head, as `evaluate` and training in full read it.
struct WholeModelReader: FileReader {
    static let name = "whole-model"
    static let share = 6

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = workshop.fixture("tiny-bert-classifier")
        // With a description of its task, as the product writes it.
        let merged = workshop.folder + "/merged"
        let adapter = workshop.fixture("tiny-bert-adapter")
        let contents = try Adapter(path: adapter)
        try contents.writeMerged(
            to: merged, baseFolder: workshop.fixture("tiny-bert"),
            form: try ModelFolder.mergedForm(path: workshop.fixture("tiny-bert")),
            task: try TaskDescription(adapterFolder: adapter, outputCount: contents.outputCount))
        seeds = [
            try workshop.seed("configuration", file: "config.json", copying: origin, format: .json),
            try workshop.seed("weights", file: "model.safetensors", copying: origin, format: .safetensors),
            try workshop.seed("task", file: TaskDescription.fileName, copying: merged, format: .json),
            try workshop.seed("checked-weights", file: "model.safetensors", copying: merged, format: .safetensors),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        if input.index % 2 == 0 {
            _ = try AdaptedModel(trainingAllOf: input.seed.folder, dropout: nil, outputCount: 3)
        }
        let trained = try TrainedModel(path: input.seed.folder)
        var predictions: [TrainedModel.Prediction] = []
        try trained.forEachPrediction(
            for: [("a fine film", nil), ("", nil)], place: { "text \($0)" }, { predictions.append($0) })
        guard predictions.count == 2, predictions.allSatisfy({ $0.logits.count == trained.model.outputCount }) else {
            throw BrokenPromise("\(predictions.count) predictions for 2 texts, or of another width than the head's")
        }
    }
}
