import AdaLoRA
import Diagnostics
public import Foundation
import Safetensors

/// Recorded weights and gradients of an adapter, step by step, and their replay through the allocator.
///
/// The file is safetensors: `step.00000.MODULE.lora_A.weight` [r, in], `.lora_B.weight` [out, r], `.lora_E.weight`
/// [r, 1], and the same with `.grad`, for steps from 0; its metadata has a key `adalora` with a JSON object of
/// `init_r`, `target_r`, `tinit`, `tfinal`, `deltaT`, `total_step`, `beta1`, `beta2`.
public struct AllocationTrace {
    private let file: SafetensorsFile
    private let configuration: Configuration
    private let modules: [RankAllocator.Module]
    private let stepCount: Int

    private struct Configuration: Codable {
        let initialRank: Int
        let targetRank: Int
        let initialSteps: Int
        let finalSteps: Int
        let interval: Int
        let totalSteps: Int
        let beta1: Double
        let beta2: Double

        enum CodingKeys: String, CodingKey {
            case initialRank = "init_r"
            case targetRank = "target_r"
            case initialSteps = "tinit"
            case finalSteps = "tfinal"
            case interval = "deltaT"
            case totalSteps = "total_step"
            case beta1, beta2
        }
    }

    /// - Throws: ``TrainingError`` or `SafetensorsError` if the file is not such a trace.
    public init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        guard let text = file.metadata["adalora"] else {
            throw TrainingError(
                .badData,
                "\(path): no metadata 'adalora', expected a JSON object with init_r, target_r, tinit, …; "
                    + "is this a recorded trace?")
        }
        guard let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(text.utf8)) else {
            throw TrainingError(
                .badData,
                "\(path): metadata 'adalora' is \(text.prefix(200)), expected a JSON object with the numbers "
                    + "init_r, target_r, tinit, tfinal, deltaT, total_step, beta1, beta2")
        }
        for (key, value) in [("beta1", configuration.beta1), ("beta2", configuration.beta2)]
        where !(value >= 0 && value <= 1) {
            throw TrainingError(
                .badData, "\(path): metadata 'adalora': \(key) is \(value), expected a number from 0 to 1")
        }
        var modules: [RankAllocator.Module] = []
        var stepCount = 0
        for name in file.tensorNames {
            guard let match = name.wholeMatch(of: /step\.([0-9]{5,9})\.(.+)\.lora_A\.weight/) else { continue }
            stepCount = max(stepCount, (Int(match.1) ?? 0) + 1)
            guard match.1.allSatisfy({ $0 == "0" }) else { continue }
            let base = name.dropLast("lora_A.weight".count)
            guard let right = file.tensor(named: name)?.shape, right.count == 2,
                let left = file.tensor(named: base + "lora_B.weight")?.shape, left.count == 2, left[1] == right[0],
                // Elements that are there bound the shapes by the file's size; without them they could be anything.
                right[0] > 0, right[1] > 0, left[0] > 0
            else {
                throw TrainingError(
                    .badData,
                    "\(path): '\(name)' has no fitting '\(base)lora_B.weight', expected [r, in] and [out, r], not empty"
                )
            }
            modules.append(
                .init(name: String(match.2), rank: right[0], outputs: left[0], inputs: right[1]))
        }
        guard !modules.isEmpty else {
            throw TrainingError(
                .badData, "\(path): no tensor named step.00000.MODULE.lora_A.weight; is this a recorded trace?")
        }
        guard stepCount <= file.tensorNames.count else {
            throw TrainingError(
                .badData, "\(path): \(stepCount) steps in \(file.tensorNames.count) tensors; expected all steps from 0")
        }
        let largestRank = modules.map(\.rank).max() ?? 0
        guard (0...largestRank).contains(configuration.targetRank) else {
            throw TrainingError(
                .badData,
                "\(path): metadata 'adalora': target_r is \(configuration.targetRank), expected 0 to the largest rank, "
                    + "\(largestRank)")
        }
        self.file = file
        self.configuration = configuration
        self.modules = modules.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.stepCount = stepCount
    }

    /// Replays the trace.
    ///
    /// - Returns: JSON: the configuration, and for each step the budget, the decision (null where none fell) and the
    ///   scores by module. The budget is null after the last decision, when the allocator is not asked any more.
    public func replay() throws -> Data {
        struct Step: Encodable {
            let step: Int
            let budget: Int?
            let kept: [String: [Bool]]?
            let scores: [String: [Float]]

            enum CodingKeys: CodingKey { case step, budget, kept, scores }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(step, forKey: .step)
                try container.encode(budget, forKey: .budget)
                try container.encode(kept, forKey: .kept)
                try container.encode(scores, forKey: .scores)
            }
        }
        struct Replay: Encodable {
            let config: Configuration
            let steps: [Step]
        }
        let triplets = modules.reduce(0) { $0 + $1.rank }
        let schedule = try BudgetSchedule(
            initialBudget: triplets, targetBudget: modules.count * configuration.targetRank,
            initialSteps: configuration.initialSteps, finalSteps: configuration.finalSteps,
            interval: configuration.interval, totalSteps: configuration.totalSteps)
        var allocator = RankAllocator(
            modules: modules, schedule: schedule,
            importance: Importance(measure: .ipt, beta1: configuration.beta1, beta2: configuration.beta2))
        func byModule<Value>(_ values: [Value]) -> [String: Value] {
            Dictionary(zip(modules.map(\.name), values)) { first, _ in first }
        }
        let steps = try (0..<stepCount).map { step in
            let result = allocator.update(
                step: step, values: try rows(step: step, "weight"), gradients: try rows(step: step, "grad"))
            for (module, scores) in zip(modules, result.scores) where !scores.allSatisfy(\.isFinite) {
                throw TrainingError(
                    .badData,
                    "\(file.path): step \(step): a score of '\(module.name)' is not finite, nor are then the weights or "
                        + "gradients up to it, or their products; record the trace again")
            }
            return Step(
                step: step, budget: schedule.isFinal(step) ? nil : result.budget,
                kept: result.kept.map(byModule), scores: byModule(result.scores))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(Replay(config: configuration, steps: steps))
    }

    /// One quantity of all modules at one step, in rows `[P_i | λ_i | Q_i]`.
    private func rows(step: Int, _ quantity: String) throws -> [[Float]] {
        let digits = String(step)
        let prefix = "step." + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return try modules.map { module in
            let (rank, outputs, inputs) = (module.rank, module.outputs, module.inputs)
            func tensor(_ name: String, _ shape: [Int]) throws -> [Float] {
                try file.floats(of: "\(prefix).\(module.name).\(name).\(quantity)", shape: shape)
            }
            let right = try tensor("lora_A", [rank, inputs])
            let left = try tensor("lora_B", [outputs, rank])
            let values = try tensor("lora_E", [rank, 1])
            var rows: [Float] = []
            rows.reserveCapacity(module.elementCount)
            for triplet in 0..<rank {
                for output in 0..<outputs { rows.append(left[output * rank + triplet]) }
                rows.append(values[triplet])
                rows += right[triplet * inputs..<(triplet + 1) * inputs]
            }
            return rows
        }
    }
}
