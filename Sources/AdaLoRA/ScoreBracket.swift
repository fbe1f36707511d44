internal import CKernels

/// Scores cut in three by one pass over them: above a bracket, in it, and below.
struct ScoreBracket {
    /// For each score, whether it is above the bracket.
    var isAbove: [Bool]
    let aboveCount: Int
    /// How many scores are in the bracket, its ends included.
    let betweenCount: Int
    /// The places of the scores in the bracket, in order; as many as the capacity allows.
    let places: [Int]
    /// The scores at these places.
    let between: [Float]

    /// - Parameters:
    ///   - low: -∞ takes scores that are not numbers into the bracket; otherwise they are below.
    ///   - capacity: how many scores of the bracket to keep at most.
    init(_ scores: UnsafeBufferPointer<Float>, low: Float, high: Float, capacity: Int) {
        var (aboveCount, betweenCount) = (0, 0)
        var places: [Int] = []
        var between: [Float] = []
        isAbove = [Bool](unsafeUninitializedCapacity: scores.count) { flags, flagCount in
            places = [Int](unsafeUninitializedCapacity: capacity) { places, placeCount in
                between = [Float](unsafeUninitializedCapacity: capacity) { between, scoreCount in
                    flags.withMemoryRebound(to: UInt8.self) { bytes in
                        betweenCount = kernel_split_scores(
                            scores.baseAddress, scores.count, low, high, bytes.baseAddress, places.baseAddress,
                            between.baseAddress, capacity, &aboveCount)
                    }
                    scoreCount = min(betweenCount, capacity)
                }
                placeCount = between.count
            }
            flagCount = scores.count
        }
        (self.aboveCount, self.betweenCount) = (aboveCount, betweenCount)
        (self.places, self.between) = (places, between)
    }

    /// A bracket that holds the `budget`-th highest score in all likelihood, and few others, going by a sample.
    ///
    /// Nil if too many scores are alike for that.
    ///
    /// - Parameter deviations: half the bracket's width, in standard deviations of what a sample tells.
    init?(_ scores: UnsafeBufferPointer<Float>, around budget: Int, deviations: Double) {
        let stride = max(scores.count / Self.sampleSize, Self.smallestStride)
        let sampleCount = scores.count / stride
        let sample = [Float](unsafeUninitializedCapacity: sampleCount) { sample, count in
            for index in 0..<sampleCount { sample.initializeElement(at: index, to: scores[index * stride]) }
            count = sampleCount
        }
        // The number of sampled scores that stay has this mean and, were they drawn at random, this deviation.
        let share = Double(budget) / Double(scores.count)
        let mean = share * Double(sampleCount)
        let margin = deviations * (mean * (1 - share)).squareRoot() + 1
        let (first, last) = (Int(mean - margin), Int(mean + margin) + 1)
        let capacity = 2 * (last - first) * stride
        let ends = sample.withUnsafeBufferPointer { sample -> (low: Float, high: Float)? in
            let low = last > sampleCount ? -.infinity : RadixThreshold(of: sample, budget: last).threshold
            let high = first < 1 ? .infinity : RadixThreshold(of: sample, budget: first).threshold
            let sampled = ScoreBracket(sample, low: low, high: high, capacity: 0)
            return sampled.betweenCount * stride > capacity ? nil : (low, high)
        }
        guard let ends else { return nil }
        self.init(scores, low: ends.low, high: ends.high, capacity: capacity)
    }

    private static let sampleSize = 1 << 16
    private static let smallestStride = 8
}
