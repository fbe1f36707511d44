import AdaLoRA
import MessagePassing
import Training

let selectionChecks: [String: Check] = [
    "selection": { world, _ in
        for (name, score) in scoreFunctions {
            // Also fewer triplets than processes, and not a multiple of 8 on any.
            for count in [0, 1, 2, 7, 100, 3_003] {
                let scores = (0..<count).map { score($0) }
                for owned in splits(of: count, processCount: world.processCount) {
                    let own = Array(scores[owned[world.processIndex]])
                    for budget in [-1, 0, 1, count / 3, count / 2, count - 1, count, count + 5] {
                        let expected = Selection(scores: scores, budget: budget)
                        let claim = "\(budget) of \(count) \(name), process 0 has \(owned[0])"
                        try expect(
                            try Selection.searched(own, budget: budget, world) == expected, equals: true,
                            "by counts, \(claim)")
                        try expect(
                            try Selection.gathered(own, budget: budget, world) == expected, equals: true,
                            "gathered, \(claim)")
                    }
                }
            }
        }
        return 0
    },
    "selection-past-the-limit": { world, _ in
        let count = Selection.gatheringLimit + 11
        let owned = splits(of: count, processCount: world.processCount)[0][world.processIndex]
        let selection = try Selection.agreed(
            on: owned.map { Float($0 % 1000) }, tripletCount: count, budget: 1500, world)
        // 1048 scores are 999, and as many 998.
        let tiesKept = 1500 - count / 1000
        let expected = (0..<count).filter { index in
            index % 1000 == 999 || (index % 1000 == 998 && index / 1000 < tiesKept)
        }
        try expect((0..<count).filter { selection.kept[$0] }, equals: expected, "what stays")
        try expect(selection.threshold, equals: 998, "the threshold")
        return 0
    },
]

private let scoreFunctions: [(name: String, score: @Sendable (Int) -> Float)] = [
    ("scores far and wide", { Float(($0 * 7919) % 104_729) * 1e-9 - 2e-5 }),
    ("equal scores", { _ in 0.25 }),
    ("scores of three values", { Float($0 * 5 % 3) }),
    ("zeros, infinities and what is no number", { awkwardScores[$0 * 11 % awkwardScores.count] }),
]

private let awkwardScores: [Float] = [
    0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 1,
]

/// Ways to deal triplets to processes: evenly; all to the last; more to each next.
private func splits(of count: Int, processCount: Int) -> [[Range<Int>]] {
    let even = (0...processCount).map { $0 * count / processCount }
    let last = [Int](repeating: 0, count: processCount) + [count]
    let growing = (0...processCount).map { count * $0 * $0 / (processCount * processCount) }
    return [even, last, growing].map { bounds in zip(bounds, bounds.dropFirst()).map { $0..<$1 } }
}
