internal import COpenMPI

/// Whole numbers that every process of a communicator reads and adds to at any time, without the others taking part: what
/// work is dealt by.
///
/// They lie on process 0. Where the hosts' network has no such operation of its own, an addition waits until process 0
/// calls MPI the next time; it should do so now and then, if only to read a counter.
///
/// The corresponding C functions are `MPI_Win_allocate`, `MPI_Win_lock_all`, `MPI_Fetch_and_op` and `MPI_Win_flush` (MPI
/// 3.1, sections 11.2.2, 11.3.4 and 11.5).
public final class SharedCounters {
    /// Of a process that is alone, which needs no window.
    private var own: [Int64]
    private let window: MPI_Win?

    fileprivate init(own: [Int64], window: MPI_Win?) {
        self.own = own
        self.window = window
    }

    /// Adds to a counter.
    ///
    /// - Parameters:
    ///   - amount: to add; 0 only reads.
    ///   - index: of the counter.
    /// - Returns: what it was before.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if there is no such counter.
    public func add(_ amount: Int64, to index: Int) throws(MessagePassingError) -> Int64 {
        guard own.indices.contains(index) else {
            throw MessagePassingError(
                .invalidArgument, routine: "MPI_Fetch_and_op",
                "there is no counter \(index); expected 0 to \(own.count - 1)")
        }
        guard let window else {
            defer { own[index] &+= amount }
            return own[index]
        }
        var (amount, before) = (amount, Int64(0))
        try check(
            "MPI_Fetch_and_op",
            MPI_Fetch_and_op(&amount, &before, COpenMPI_INT64_T(), 0, MPI_Aint(index), COpenMPI_SUM(), window))
        try check("MPI_Win_flush", MPI_Win_flush(0, window))
        return before
    }

    /// Gives the counters back before the job ends. Collective.
    ///
    /// The corresponding C functions are `MPI_Win_unlock_all` and `MPI_Win_free`.
    public func release() throws(MessagePassingError) {
        guard let window else { return }
        try check("MPI_Win_unlock_all", MPI_Win_unlock_all(window))
        var handle: MPI_Win? = window
        try check("MPI_Win_free", MPI_Win_free(&handle))
    }
}

extension Communicator {
    /// Counters for all processes of this communicator, 0 at first. Collective.
    ///
    /// - Parameter count: the same on every process, at least 1.
    public func sharedCounters(count: Int) throws(MessagePassingError) -> SharedCounters {
        guard count > 0 else {
            throw MessagePassingError(
                .invalidArgument, routine: "MPI_Win_allocate", "\(count) counters; expected at least 1")
        }
        let own = [Int64](repeating: 0, count: count)
        guard let handle, !isAlone else { return SharedCounters(own: own, window: nil) }
        let width = MemoryLayout<Int64>.stride
        var base: UnsafeMutableRawPointer?
        var window = COpenMPI_WIN_NULL()
        try check(
            "MPI_Win_allocate",
            MPI_Win_allocate(
                processIndex == 0 ? count * width : 0, Int32(width), COpenMPI_INFO_NULL(), handle, &base, &window))
        guard let window else {
            throw MessagePassingError(.routineFailed, routine: "MPI_Win_allocate", "gave no window")
        }
        if processIndex == 0 { base?.initializeMemory(as: Int64.self, repeating: 0, count: count) }
        try check("MPI_Win_lock_all", MPI_Win_lock_all(Int32(MPI_MODE_NOCHECK), window))
        try check("MPI_Win_sync", MPI_Win_sync(window))
        try barrier()
        return SharedCounters(own: own, window: window)
    }
}
