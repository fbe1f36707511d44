import Testing

@testable import AdaLoRA

/// What a selection must be: the first `budget` of the scores sorted by value, then by index.
private struct SlowSelection {
    let keys: [Float]
    let order: [Int]

    init(_ scores: [Float]) {
        let keys = scores.map { $0.isNaN ? -Float.infinity : $0 }
        self.keys = keys
        order = keys.indices.sorted { keys[$0] != keys[$1] ? keys[$0] > keys[$1] : $0 < $1 }
    }

    func callAsFunction(budget: Int) -> Selection {
        let stays = order.prefix(max(budget, 0))
        var kept = [Bool](repeating: false, count: keys.count)
        for index in stays { kept[index] = true }
        return Selection(kept: kept, threshold: stays.last.map { keys[$0] })
    }
}

/// What ``RadixThreshold`` finds if each part of the scores is on another process.
private func searchedSelection(_ parts: [[Float]], budget: Int) -> Selection {
    let count = parts.reduce(0) { $0 + $1.count }
    guard min(budget, count) > 0 else {
        return Selection(kept: parts.flatMap { $0.map { _ in false } }, threshold: nil)
    }
    var search = RadixThreshold(budget: min(budget, count))
    while !search.isFound {
        let counts = parts.map { $0.withUnsafeBufferPointer { search.counts(of: $0) } }
        search.narrow(by: counts.reduce([Int64](repeating: 0, count: 2048)) { zip($0, $1).map(+) })
    }
    var ties = search.budgetOfTies
    let kept = parts.flatMap { part in
        part.withUnsafeBufferPointer { part in
            var (kept, tieCount) = search.split(part)
            search.keepTies(ties, of: part, in: &kept)
            ties -= tieCount
            return kept
        }
    }
    return Selection(kept: kept, threshold: search.threshold)
}

/// Families of scores, each of one kind of difficulty.
private enum Scores: String, CaseIterable {
    case different, fewValues, equal, anyBits, awkward, products, sorted

    func make(_ count: Int, using generator: inout some RandomNumberGenerator) -> [Float] {
        let awkward: [Float] = [
            0, -0.0, .infinity, -.infinity, .nan, -.nan, .signalingNaN, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
            .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, Float(1).nextUp, -1,
        ]
        let scores = (0..<count).map { _ -> Float in
            switch self {
            case .different, .sorted: Float.random(in: -1...1, using: &generator)
            case .fewValues: Float(Int.random(in: 0...6, using: &generator))
            case .equal: 0.25
            case .anyBits: Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            case .awkward: awkward.randomElement(using: &generator) ?? 0
            case .products: Float.random(in: 0...1, using: &generator) * Float.random(in: 0...1e-30, using: &generator)
            }
        }
        return self == .sorted ? scores.sorted() : scores
    }
}

@Suite("The selection")
struct SelectionTests {
    @Test("keeps exactly the budget when all scores tie, the lower indices first", arguments: [0, 1, 5, 8])
    func ties(budget: Int) {
        for value in [Float(0), 1, .infinity] {
            let selection = Selection(scores: [Float](repeating: value, count: 8), budget: budget)
            #expect(selection.kept == (0..<8).map { $0 < budget })
        }
    }

    @Test("keeps the highest scores, and among equals the lower index")
    func highest() {
        let selection = Selection(scores: [3, 1, 2, 3, 2, 0], budget: 3)
        #expect(selection.kept == [true, false, true, true, false, false])
        #expect(selection.threshold == 2)
    }

    @Test("masks nothing at a budget of all, and everything at a budget of none")
    func ends() {
        #expect(Selection(scores: [1, 2], budget: 2).kept == [true, true])
        #expect(Selection(scores: [1, 2], budget: 5).kept == [true, true])
        #expect(Selection(scores: [1, 2], budget: 0).kept == [false, false])
        #expect(Selection(scores: [1, 2], budget: -1).kept == [false, false])
        #expect(Selection(scores: [], budget: 0).kept == [])
        #expect(Selection(scores: [], budget: 3) == Selection(kept: [], threshold: nil))
    }

    @Test("ranks a score that is not a number with -∞ below all others")
    func notANumber() {
        #expect(Selection(scores: [.nan, 0, -1], budget: 2).kept == [false, true, true])
        let selection = Selection(scores: [-.infinity, .nan, 0, .nan], budget: 3)
        #expect(selection == Selection(kept: [true, true, true, false], threshold: -.infinity))
    }

    @Test("takes -0 and 0 for equal")
    func zeros() {
        #expect(Selection(scores: [-0.0, 0, -0.0, 0], budget: 2).kept == [true, true, false, false])
    }

    @Test("is that of a sort, for scores of every kind", arguments: Scores.allCases)
    fileprivate func oracle(kind: Scores) {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<60 {
            let scores = kind.make(round < 58 ? Int.random(in: 0...200) : 3000, using: &generator)
            let slow = SlowSelection(scores)
            for budget in [0, 1, Int.random(in: 0...scores.count), scores.count - 1, scores.count, scores.count + 1] {
                #expect(Selection(scores: scores, budget: budget) == slow(budget: budget))
            }
        }
    }

    @Test("is that of a sort where it goes by a sample", arguments: Scores.allCases)
    fileprivate func sampled(kind: Scores) {
        var generator = SystemRandomNumberGenerator()
        for count in [1 << 14, 40_001] {
            let scores = kind.make(count, using: &generator)
            let slow = SlowSelection(scores)
            for budget in [1, count / 1000, count / 3, count / 2, count - 2, count] {
                #expect(Selection(scores: scores, budget: budget) == slow(budget: budget))
            }
        }
    }

    @Test("goes by a sample where scores differ, and does not where all are equal or the sample misleads")
    func sampleIsUsed() {
        let count = 1 << 14
        func sampling(_ scores: [Float], budget: Int) -> Selection? {
            scores.withUnsafeBufferPointer { Selection(sampling: $0, budget: budget, deviations: 6) }
        }
        let different = (0..<count).map { Float($0 * 7919 % 16_411) }
        #expect(sampling(different, budget: count / 2) == SlowSelection(different)(budget: count / 2))
        #expect(sampling([Float](repeating: 1, count: count), budget: count / 2) == nil)
        // The scores at the sampled places, multiples of 8, are all above the rest.
        let misleading = (0..<count).map { Float($0 % 8 == 0 ? count + $0 : $0) }
        #expect(sampling(misleading, budget: count / 2) == nil)
        #expect(Selection(scores: misleading, budget: count / 2) == SlowSelection(misleading)(budget: count / 2))
    }

    @Test("is found by counts alone, however the scores are dealt to processes", arguments: Scores.allCases)
    fileprivate func dealt(kind: Scores) {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<35 {
            let scores = kind.make(Int.random(in: 0...300, using: &generator), using: &generator)
            let slow = SlowSelection(scores)
            // Any bounds, so that some processes have nothing.
            let processCount = round % 7 + 1
            let inner = (1..<processCount).map { _ in Int.random(in: 0...scores.count, using: &generator) }.sorted()
            let parts = zip([0] + inner, inner + [scores.count]).map { Array(scores[$0..<$1]) }
            for budget in [0, 1, Int.random(in: 0...scores.count), scores.count, scores.count + 9] {
                #expect(searchedSelection(parts, budget: budget) == slow(budget: budget))
            }
        }
    }
}
