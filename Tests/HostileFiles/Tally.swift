/// What came of a range of inputs.
struct Tally: Codable, Equatable {
    /// The input that is being read, or was read last.
    var index = -1
    var accepted = 0
    var refused = 0
    /// Inputs that are failures without a trap: neither accepted nor refused as they should be.
    var failed = 0
    var slowestIndex = -1
    var slowestSeconds = 0.0
    /// Bytes of the longest input.
    var longest = 0
    /// Resident memory at most, in bytes: before the first input, and beyond that while inputs were read.
    var baseline = 0
    var growth = 0

    var tried: Int { accepted + refused + failed }

    /// Takes the counts of another range; the memory of the one that took more stays.
    mutating func add(_ other: Tally) {
        index = max(index, other.index)
        accepted += other.accepted
        refused += other.refused
        failed += other.failed
        if other.slowestSeconds > slowestSeconds {
            (slowestIndex, slowestSeconds) = (other.slowestIndex, other.slowestSeconds)
        }
        if other.growth > growth || longest == 0 {
            (longest, baseline, growth) = (other.longest, other.baseline, other.growth)
        }
    }
}
