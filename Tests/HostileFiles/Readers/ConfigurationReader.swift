import Foundation
import Training

/// The configuration of a run.
struct ConfigurationReader: FileReader {
    static let name = "configuration"
    static let share = 12

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let aliases =
            "model: &m minilm\ndata: {train: *m, text: text, label: label}\noutput: 'runs/x'\nseed: 0 # zero\n"
        let flow = #"""
            {model: "mini\u00e9lm/", data: {train: train.tsv, text_pair: other, validation: null}, output: runs/x,
             adapter: {init_r: 8, target_r: 2, tinit: 1, tfinal: 1, deltaT: 1, target_modules: [query, "value"]},
             optimizer: {lr: 1.0e-3, max_grad_norm: ~, schedule: cosine, warmup_steps: 2}, total_step: 10, batch_size: 8, checkpoint: {every: 1}}
            """#
        seeds = [
            try workshop.seed(
                "movie-reviews", file: "movie-reviews.yaml",
                contents: Workshop.bytes(workshop.package + "/launch/movie-reviews.yaml"), format: .lines),
            try workshop.seed("aliases", file: "run.yaml", text: aliases, format: .lines),
            try workshop.seed("flow", file: "run.yaml", text: flow, format: .json),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let configuration = try TrainingConfiguration.load(path: input.seed.path)
        try configuration.validate()
        // A run keeps the resolved text in its checkpoints and must understand it again.
        let stored = configuration.resolvedYAML
        let again = try TrainingConfiguration(resolvedYAML: stored, path: "stored")
        guard again.resolvedYAML == stored, again.differences(from: configuration).isEmpty else {
            throw BrokenPromise("the resolved configuration does not load back to itself")
        }
    }
}
