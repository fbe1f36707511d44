import Foundation
import PEFTFormat

/// An adapter's folder: weights, PEFT's configuration, and what this program adds.
struct AdapterReader: FileReader {
    static let name = "adapter"
    static let share = 12

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let (weights, configuration) = ("adapter_model.safetensors", "adapter_config.json")
        let pruned = workshop.fixture("tiny-bert-pruned-adapter")
        // The same adapter as LORA, with a description of its task: both written by the product.
        let lora = workshop.folder + "/lora"
        let adapter = try Adapter(path: pruned)
        let task = try TaskDescription(adapterFolder: pruned, outputCount: adapter.outputCount)
        try adapter.write(.lora, to: lora, task: task)
        var seeds: [Seed] = []
        for (name, origin) in [
            ("whole", workshop.fixture("tiny-bert-adapter")), ("pruned", pruned), ("lora", lora),
            ("patterns", workshop.fixture("tiny-bert-lora-patterns")),
            ("regression", workshop.fixture("tiny-bert-regression-adapter")),
        ] {
            seeds.append(try workshop.seed(name + "-weights", file: weights, copying: origin, format: .safetensors))
            seeds.append(
                try workshop.seed(name + "-configuration", file: configuration, copying: origin, format: .json))
        }
        seeds.append(
            try workshop.seed("task", file: TaskDescription.fileName, copying: lora, format: .json))
        self.seeds = seeds
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let adapter = try Adapter(path: input.seed.folder)
        for module in adapter.modules {
            guard module.leftVectors.count == module.rank * module.outputs,
                module.rightVectors.count == module.rank * module.inputs,
                module.pattern.count(where: { $0 }) == module.rank
            else { throw BrokenPromise("the parts of '\(module.path)' do not fit each other") }
        }
        let task = try TaskDescription(adapterFolder: input.seed.folder, outputCount: adapter.outputCount)
        guard task.labels.map({ $0.count == adapter.outputCount }) ?? (adapter.outputCount == 1) else {
            throw BrokenPromise("\(task.labels?.count ?? 0) labels for \(adapter.outputCount) outputs")
        }
    }
}
