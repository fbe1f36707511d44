/// Which part of a buffer belongs to each process of a communicator.
///
/// Make it once and use it for every message of the same shape: it holds the counts and displacements in the form in
/// which MPI takes them, so that an operation that uses it allocates nothing.
public struct BufferLayout: Sendable, Equatable {
    /// The number of elements of each process's part.
    public let counts: [Int]

    /// The index of the first element of each process's part.
    public let displacements: [Int]

    /// The number of elements that a buffer must hold: the end of the part that reaches furthest.
    public let extent: Int

    /// `counts` and `displacements` for MPI; empty if they do not fit.
    let messageCounts, messageDisplacements: [Int32]

    /// Parts that lie one after another, in the order of the processes, without gaps.
    ///
    /// - Parameter counts: the number of elements of each process's part.
    /// - Throws: ``MessagePassingError`` (`invalidArgument`) for a negative count, or a sum past `Int.max`.
    public init(counts: [Int]) throws(MessagePassingError) {
        var displacements: [Int] = []
        displacements.reserveCapacity(counts.count)
        var end = 0
        for count in counts {
            displacements.append(end)
            // An overflow shows as a negative end, which the other initialiser refuses.
            end = end.addingReportingOverflow(count).partialValue
        }
        try self.init(counts: counts, displacements: displacements)
    }

    /// Parts anywhere in a buffer. The parts of a buffer that is received into must not overlap.
    ///
    /// - Parameters:
    ///   - counts: the number of elements of each process's part.
    ///   - displacements: the index of the first element of each process's part.
    /// - Throws: ``MessagePassingError`` (`invalidArgument`) for negative or overflowing values, or if there are not as
    ///   many displacements as counts.
    public init(counts: [Int], displacements: [Int]) throws(MessagePassingError) {
        guard counts.count == displacements.count else {
            throw Self.invalid("\(counts.count) counts, but \(displacements.count) displacements")
        }
        var extent = 0
        for (process, (count, displacement)) in zip(counts, displacements).enumerated() {
            let (end, overflow) = displacement.addingReportingOverflow(count)
            guard count >= 0, displacement >= 0, !overflow else {
                throw Self.invalid(
                    "the part of process \(process) has \(count) elements from \(displacement); "
                        + "expected non-negative numbers with a sum up to \(Int.max)")
            }
            extent = max(extent, end)
        }
        self.counts = counts
        self.displacements = displacements
        self.extent = extent
        let fits = extent <= Int(Int32.max)
        self.messageCounts = fits ? counts.map(Int32.init(truncatingIfNeeded:)) : []
        self.messageDisplacements = fits ? displacements.map(Int32.init(truncatingIfNeeded:)) : []
    }

    /// The indices of the part of `process`; empty for a process that the layout does not know.
    public func range(of process: Int) -> Range<Int> {
        guard counts.indices.contains(process) else { return 0..<0 }
        return displacements[process]..<displacements[process] + counts[process]
    }

    private static func invalid(_ explanation: String) -> MessagePassingError {
        MessagePassingError(.invalidArgument, routine: "BufferLayout", explanation)
    }
}
