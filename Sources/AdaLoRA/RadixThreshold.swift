internal import CKernels

/// The search for the lowest score that stays, which needs only counts of scores, not the scores in one place.
///
/// Every score has a key of 32 bits that sorts as the scores rank. A round counts the keys by their next digit, among those that
/// begin with the digits known so far; the digit at which the budget runs out is the next of the threshold's key. Counts of
/// parts of the scores add up, so the parts may lie on different processes: three rounds (11, 11 and 10 bits)
/// find the threshold of any number of scores.
///
///     var search = RadixThreshold(budget: budget)
///     while !search.isFound { search.narrow(by: /* the sum over all parts of */ search.counts(of: part)) }
public struct RadixThreshold: Sendable, Equatable {
    private static let keyBits = 32
    private static let digitBits = 11

    /// The upper bits of the threshold's key, followed by zeros.
    private var key: UInt32 = 0
    private var knownBits = 0
    /// How many stay of the scores whose keys begin with the known bits. At the end these are the scores that equal the
    /// threshold: those that come first stay.
    public private(set) var budgetOfTies: Int

    /// - Parameter budget: how many scores stay, from 1 to their number.
    public init(budget: Int) {
        budgetOfTies = budget
    }

    /// The threshold of scores that are all here.
    init(of scores: UnsafeBufferPointer<Float>, budget: Int) {
        self.init(budget: budget)
        while !isFound { narrow(by: counts(of: scores)) }
    }

    /// Whether all digits are known.
    public var isFound: Bool { knownBits == Self.keyBits }

    /// The lowest score that stays, once it is found: 0 for -0, and -∞ for a score that is not a number.
    public var threshold: Float {
        Float(bitPattern: key >> 31 == 1 ? key ^ 0x8000_0000 : ~key)
    }

    /// How many scores of a part have each next digit; [2048].
    public func counts(of scores: UnsafeBufferPointer<Float>) -> [Int64] {
        var counts = [Int64](repeating: 0, count: 1 << Self.digitBits)
        if let start = scores.baseAddress {
            kernel_count_digits(start, scores.count, key, Int32(knownBits), &counts)
        }
        return counts
    }

    /// Ends a round.
    ///
    /// - Parameter counts: the sum of ``counts(of:)`` over all parts.
    public mutating func narrow(by counts: [Int64]) {
        let bits = min(Self.digitBits, Self.keyBits - knownBits)
        var digit = (UInt32(1) << bits) - 1
        while digit > 0, counts[Int(digit)] < budgetOfTies {
            budgetOfTies -= Int(counts[Int(digit)])
            digit -= 1
        }
        knownBits += bits
        key |= digit << (Self.keyBits - knownBits)
    }

    /// Which scores of a part are above the threshold, and how many equal it.
    public func split(_ scores: UnsafeBufferPointer<Float>) -> (kept: [Bool], tieCount: Int) {
        let bracket = ScoreBracket(scores, low: threshold, high: threshold, capacity: 0)
        return (bracket.isAbove, bracket.betweenCount)
    }

    /// Keeps the first `count` scores of a part that equal the threshold.
    public func keepTies(_ count: Int, of scores: UnsafeBufferPointer<Float>, in kept: inout [Bool]) {
        let threshold = threshold
        var (rest, index) = (count, 0)
        while rest > 0, index < scores.count {
            let score = scores[index]
            if score == threshold || (score.isNaN && threshold == -.infinity) {
                kept[index] = true
                rest -= 1
            }
            index += 1
        }
    }
}
