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

    /// Memory at most beyond the baseline, as a multiple of the longest input.
    var memoryMultiple: Double { Double(growth) / Double(max(longest, 1)) }

    /// Takes the counts of another range; of the multiples of memory, the larger one stays.
    mutating func add(_ other: Tally) {
        index = max(index, other.index)
        accepted += other.accepted
        refused += other.refused
        failed += other.failed
        if other.slowestSeconds > slowestSeconds {
            (slowestIndex, slowestSeconds) = (other.slowestIndex, other.slowestSeconds)
        }
        if other.memoryMultiple > memoryMultiple || longest == 0 {
            (longest, baseline, growth) = (other.longest, other.baseline, other.growth)
        }
    }
}
