/// The decision at a masking step: which triplets keep their singular value.
public struct Selection: Sendable, Equatable {
    /// For each triplet, in the order of modules and triplets.
    public let kept: [Bool]
    /// The lowest score that stays, -∞ if that is not a number; nil if none stays.
    public let threshold: Float?

    /// A decision that was taken elsewhere.
    public init(kept: [Bool], threshold: Float?) {
        self.kept = kept
        self.threshold = threshold
    }

    /// Keeps exactly the `budget` triplets with the highest scores (all of them, if there are no more).
    ///
    /// Ties go to the lower index, so that the decision is a function of the scores alone. A score that is not a number
    /// ranks with -∞ below all others.
    public init(scores: [Float], budget: Int) {
        let budget = min(budget, scores.count)
        guard budget > 0 else {
            self.init(kept: [Bool](repeating: false, count: scores.count), threshold: nil)
            return
        }
        self = scores.withUnsafeBufferPointer { scores in
            Selection(sampling: scores, budget: budget, deviations: 2)
                ?? Selection(sampling: scores, budget: budget, deviations: 6)
                ?? Selection(searching: scores, budget: budget)
        }
    }

    /// By counting digits: three passes over the scores, and one to apply what was found.
    init(searching scores: UnsafeBufferPointer<Float>, budget: Int) {
        let search = RadixThreshold(of: scores, budget: budget)
        var kept = search.split(scores).kept
        search.keepTies(search.budgetOfTies, of: scores, in: &kept)
        self.init(kept: kept, threshold: search.threshold)
    }

    /// In one pass: a sample gives a bracket that the threshold is almost sure to be in, so that only the few scores in the
    /// bracket must be searched (Floyd and Rivest 1975, doi:10.1145/360680.360691).
    ///
    /// Nil if the scores are few, or the threshold is not in the bracket, or too many scores are (ties). What is
    /// returned is exact, whatever the sample.
    ///
    /// - Parameter deviations: how wide a bracket to take; a narrow one is quick, but misses the threshold at times.
    init?(sampling scores: UnsafeBufferPointer<Float>, budget: Int, deviations: Double) {
        guard scores.count >= Self.smallestSampled,
            var bracket = ScoreBracket(scores, around: budget, deviations: deviations), bracket.aboveCount < budget,
            budget <= bracket.aboveCount + bracket.betweenCount, bracket.betweenCount == bracket.between.count
        else { return nil }
        let rest = bracket.between.withUnsafeBufferPointer {
            Selection(searching: $0, budget: budget - bracket.aboveCount)
        }
        for (index, place) in bracket.places.enumerated() { bracket.isAbove[place] = rest.kept[index] }
        self.init(kept: bracket.isAbove, threshold: rest.threshold)
    }

    private static let smallestSampled = 1 << 14
}
