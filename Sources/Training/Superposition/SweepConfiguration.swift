import Yams

/// A sweep over superposition networks: a grid of cells, and what is the same for all of them.
public struct SweepConfiguration: Equatable, Sendable {
    typealias Bias = TrainingConfiguration.SuperpositionSettings.Bias

    var m = NumberList<Int>([])
    var alpha = NumberList<Double>([])
    var gamma = NumberList<Double>([-1])
    var n = NumberList<Int>([1_000])
    var seed = NumberList<Int>([0])
    var bias = Bias.normal
    var steps = 20_000
    var batchSize = 2_048
    var learningRate = 1e-2
    var warmUpSteps: Int?
    var evaluationSamples = 100_000
    /// The folder of the sweep.
    public internal(set) var output = ""

    /// All cells, in the order of the output: by α, γ, n, m, seed.
    var cells: [SweepCell] {
        alpha.values.flatMap { alpha in
            gamma.values.flatMap { gamma in
                n.values.flatMap { n in
                    m.values.flatMap { m in
                        seed.values.map { seed in
                            SweepCell(
                                m: m, alpha: alpha, gamma: gamma, n: n, seed: seed, bias: bias, steps: steps,
                                batchSize: batchSize, lr: learningRate, warmupSteps: warmUpSteps ?? steps / 10,
                                evaluationSamples: evaluationSamples)
                        }
                    }
                }
            }
        }
    }

    /// The first contradiction between values that are each within their limits.
    var contradiction: String? {
        let count = [alpha.values.count, gamma.values.count, n.values.count, m.values.count, seed.values.count]
            .reduce(1) { min($0 * $1, 1 << 40) }
        if count > 100_000 {
            return "\(count) cells or more, expected at most 100000; shorten the lists of m, alpha, gamma, n, seed"
        }
        if let warmUpSteps, warmUpSteps > steps {
            return "warmup_steps is \(warmUpSteps), but must not exceed steps, which is \(steps); lower warmup_steps"
        }
        let largest = (n.values.max() ?? 0) * (m.values.max() ?? 0)
        let limit = TrainingConfiguration.SuperpositionSettings.mostWeights
        if largest > limit {
            return "the largest n times the largest m is \(largest), expected at most \(limit); lower one of them"
        }
        return nil
    }
}

/// One number or a list of numbers, none twice.
struct NumberList<Number: ConfigurationValue>: ConfigurationValue {
    let values: [Number]

    init(_ values: [Number]) { self.values = values }

    static func described(limits: String) -> String {
        Number.described(limits: limits) + ", or a list of such numbers without repetitions"
    }

    init(node: Node) throws(ConfigurationMismatch) {
        guard let sequence = node.sequence else {
            self.init([try Number(node: node)])
            return
        }
        var values: [Number] = []
        for element in sequence {
            let value = try Number(node: element)
            guard !values.contains(value) else { throw Self.mismatch(element) }
            values.append(value)
        }
        self.init(values)
    }

    var yamlText: String { "[" + values.map(\.yamlText).joined(separator: ", ") + "]" }
}

extension ConfigurationRequirement {
    /// The limits of each number of a list, which must not be empty.
    static func each<Number>(_ requirement: ConfigurationRequirement<Number>) -> Self
    where Value == NumberList<Number> {
        Self(words: requirement.words) { !$0.values.isEmpty && $0.values.allSatisfy(requirement.holds) }
    }
}

extension TrainingConfiguration.SuperpositionSettings.Bias: ConfigurationChoice {}
