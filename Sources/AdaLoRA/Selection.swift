/// The decision at a masking step: which triplets keep their singular value.
public struct Selection: Sendable, Equatable {
    /// For each triplet, in the order of modules and triplets.
    public let kept: [Bool]
    /// The lowest score that stays; nil if none does.
    public let threshold: Float?

    /// Keeps exactly the `budget` triplets with the highest scores (all of them, if there are no more).
    ///
    /// Ties go to the lower index, so that the decision is a function of the scores alone. A score that is not a number
    /// ranks below all others.
    public init(scores: [Float], budget: Int) {
        let budget = min(max(budget, 0), scores.count)
        let keys = scores.map { $0.isNaN ? -Float.infinity : $0 }
        let order = keys.indices.sorted { keys[$0] != keys[$1] ? keys[$0] > keys[$1] : $0 < $1 }
        var kept = [Bool](repeating: false, count: scores.count)
        for index in order.prefix(budget) { kept[index] = true }
        self.kept = kept
        threshold = budget > 0 ? scores[order[budget - 1]] : nil
    }
}
