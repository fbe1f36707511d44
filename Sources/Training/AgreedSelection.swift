package import AdaLoRA
package import MessagePassing

extension Selection {
    /// The most triplets whose scores are gathered on every process: 2²⁰, which is 4 MB. Scores of more stay where they are.
    package static let gatheringLimit = 1 << 20

    /// The decision on the triplets of all processes, which own them in order. Collective.
    ///
    /// - Parameters:
    ///   - scores: of this process's triplets.
    ///   - tripletCount: of all processes.
    ///   - budget: how many triplets stay.
    /// - Throws: ``MessagePassingError``
    package static func agreed(
        on scores: [Float], tripletCount: Int, budget: Int, _ communicator: borrowing Communicator
    ) throws(MessagePassingError) -> Selection {
        tripletCount > gatheringLimit && !communicator.isAlone
            ? try searched(scores, budget: budget, communicator)
            : try gathered(scores, budget: budget, communicator)
    }

    /// By bringing all scores to every process: one message, of 4 bytes for each triplet.
    package static func gathered(
        _ scores: [Float], budget: Int, _ communicator: borrowing Communicator
    ) throws(MessagePassingError) -> Selection {
        Selection(scores: try communicator.allGathered(varying: scores).elements, budget: budget)
    }

    /// By adding up counts: three sums of 16 kB, and one bit for each triplet to tell which stay. No process sees another's
    /// scores. The decision is that of ``gathered(_:budget:_:)``.
    package static func searched(
        _ scores: [Float], budget: Int, _ communicator: borrowing Communicator
    ) throws(MessagePassingError) -> Selection {
        let counts = try communicator.allGathered([Int64(scores.count)]).map { Int($0) }
        let tripletCount = counts.reduce(0, +)
        let budget = min(budget, tripletCount)
        guard budget > 0 else {
            return Selection(kept: [Bool](repeating: false, count: tripletCount), threshold: nil)
        }
        var search = RadixThreshold(budget: budget)
        while !search.isFound {
            var digits = scores.withUnsafeBufferPointer { search.counts(of: $0) }
            try digits.withUnsafeMutableBufferPointer { (digits) throws(MessagePassingError) in
                try communicator.allReduce(digits, .sum)
            }
            search.narrow(by: digits)
        }
        // Ties go to the lower index, so to the processes in their order.
        var (kept, tieCount) = scores.withUnsafeBufferPointer { search.split($0) }
        let ties = try communicator.allGathered([Int64(tieCount)])
        let tiesBefore = Int(ties.prefix(communicator.processIndex).reduce(0, +))
        scores.withUnsafeBufferPointer { search.keepTies(search.budgetOfTies - tiesBefore, of: $0, in: &kept) }
        return Selection(kept: try gathered(kept, counts: counts, communicator), threshold: search.threshold)
    }

    /// The flags of all processes, sent as one bit for each.
    private static func gathered(
        _ flags: [Bool], counts: [Int], _ communicator: borrowing Communicator
    ) throws(MessagePassingError) -> [Bool] {
        var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
        for (index, flag) in flags.enumerated() where flag { bytes[index / 8] |= 1 << UInt8(index % 8) }
        let (all, layout) = try communicator.allGathered(varying: bytes)
        var allFlags: [Bool] = []
        allFlags.reserveCapacity(counts.reduce(0, +))
        for (process, count) in counts.enumerated() {
            let first = layout.range(of: process).lowerBound
            for index in 0..<count { allFlags.append(all[first + index / 8] >> UInt8(index % 8) & 1 == 1) }
        }
        return allFlags
    }
}
