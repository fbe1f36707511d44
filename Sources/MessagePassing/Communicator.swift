internal import COpenMPI
internal import Glibc

/// A group of processes that exchange messages: all processes of the job, or those of one machine.
///
/// Every operation but ``hostName()`` and ``abort(exitCode:)`` is *collective*: every process of the communicator has
/// to call it, in the same order, or the others wait for ever. An error on one process therefore ends the whole job:
/// throw it out of the body of ``runJob(named:exitCode:body:)``.
///
/// A process that no launcher started is a communicator of its own, for which MPI is never called: it needs no network, no
/// daemon, and no place for a session.
///
/// MPI is used from the thread that started it (`MPI_THREAD_FUNNELED`): a communicator cannot be copied and is not
/// `Sendable`, so that it cannot reach another thread.
public struct Communicator: ~Copyable {
    /// MPI's own; nil for one process that was started without MPI, which has nobody to talk to.
    let handle: MPI_Comm?

    /// The greatest count or displacement that goes to MPI in one call: `Int32.max`, or less in tests.
    let countLimit: Int

    /// This process's number in the communicator, from 0.
    public let processIndex: Int

    /// The number of processes in the communicator, at least 1.
    public let processCount: Int

    /// Whether this process is the only one.
    public var isAlone: Bool { processCount == 1 }

    init(handle: MPI_Comm, countLimit: Int) throws(MessagePassingError) {
        // An error handler of its own: the default one ends the job without a word of ours.
        try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(handle, COpenMPI_ERRORS_RETURN()))
        var index: Int32 = 0
        var count: Int32 = 0
        try check("MPI_Comm_rank", MPI_Comm_rank(handle, &index))
        try check("MPI_Comm_size", MPI_Comm_size(handle, &count))
        self.init(handle: handle, countLimit: countLimit, processIndex: Int(index), processCount: Int(count))
    }

    /// One process, without MPI: what it sends is what it receives, and nothing waits.
    static var ofOneProcess: Communicator {
        Communicator(handle: nil, countLimit: Int(Int32.max), processIndex: 0, processCount: 1)
    }

    private init(handle: MPI_Comm?, countLimit: Int, processIndex: Int, processCount: Int) {
        self.handle = handle
        self.countLimit = countLimit
        self.processIndex = processIndex
        self.processCount = processCount
    }

    /// The same communicator, but with a smaller limit for counts, so that tests reach what happens past `Int32.max`.
    package func limitingCounts(to limit: Int) -> Communicator {
        Communicator(
            handle: handle, countLimit: min(max(limit, 1), Int(Int32.max)),
            processIndex: processIndex, processCount: processCount)
    }

    /// Waits until every process has come here.
    ///
    /// The corresponding C function is `MPI_Barrier` (MPI 3.1, section 5.3).
    public func barrier() throws(MessagePassingError) {
        guard let handle else { return }
        try check("MPI_Barrier", MPI_Barrier(handle))
    }

    /// Waits until every process has come here, asleep but for a look each millisecond, so that a process that works long
    /// before it comes has the processor to itself. MPI's own waiting keeps processors busy.
    ///
    /// The corresponding C functions are `MPI_Ibarrier` and `MPI_Test` (MPI 3.1, sections 5.12.1 and 3.7.3).
    public func idleBarrier() throws(MessagePassingError) {
        guard let handle else { return }
        var request: MPI_Request?
        try check("MPI_Ibarrier", MPI_Ibarrier(handle, &request))
        var status = MPI_Status()
        var isDone: Int32 = 0
        while true {
            try check("MPI_Test", MPI_Test(&request, &isDone, &status))
            guard isDone == 0 else { return }
            usleep(1_000)
        }
    }

    /// The processes that share memory with this one, which is those of one machine, numbered in the order of this
    /// communicator.
    ///
    /// The corresponding C function is `MPI_Comm_split_type` with `MPI_COMM_TYPE_SHARED` (MPI 3.1, section 6.4.2).
    public func splitByNode() throws(MessagePassingError) -> Communicator {
        guard let handle else { return .ofOneProcess }
        var node = COpenMPI_COMM_NULL()
        try check(
            "MPI_Comm_split_type",
            MPI_Comm_split_type(
                handle, COpenMPI_COMM_TYPE_SHARED(), Int32(truncatingIfNeeded: processIndex), COpenMPI_INFO_NULL(),
                &node)
        )
        guard let node, node != COpenMPI_COMM_NULL() else {
            throw MessagePassingError(
                .routineFailed, routine: "MPI_Comm_split_type", "gave no communicator for the processes of this machine"
            )
        }
        return try Communicator(handle: node, countLimit: countLimit)
    }

    /// This process alone, for what it computes by itself in the midst of a job.
    public func alone() -> Communicator { .ofOneProcess }

    /// A communicator of the same processes, whose messages never meet this one's: for who keeps it. Collective.
    ///
    /// The corresponding C function is `MPI_Comm_dup` (MPI 3.1, section 6.4.2).
    public func duplicated() throws(MessagePassingError) -> Communicator {
        guard let handle else { return .ofOneProcess }
        var copy = COpenMPI_COMM_NULL()
        try check("MPI_Comm_dup", MPI_Comm_dup(handle, &copy))
        guard let copy, copy != COpenMPI_COMM_NULL() else {
            throw MessagePassingError(.routineFailed, routine: "MPI_Comm_dup", "gave no communicator")
        }
        return try Communicator(handle: copy, countLimit: countLimit)
    }

    /// Gives a communicator from ``splitByNode()`` or ``duplicated()`` back before the job ends. Collective.
    ///
    /// This is not done by a destructor: one that ran while an error unwinds would wait for processes that never come.
    /// The end of the job releases what was not released.
    ///
    /// The corresponding C function is `MPI_Comm_free` (MPI 3.1, section 6.4.3).
    public consuming func release() throws(MessagePassingError) {
        guard handle != nil, handle != COpenMPI_COMM_WORLD() else { return }
        var handle: MPI_Comm? = self.handle
        try check("MPI_Comm_free", MPI_Comm_free(&handle))
    }

    /// The name of the machine that this process runs on.
    ///
    /// The corresponding C functions are `gethostname` for a process without MPI, and `MPI_Get_processor_name` (MPI 3.1, section 8.1.2).
    public func hostName() throws(MessagePassingError) -> String {
        var characters = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
        if handle == nil {
            gethostname(&characters, characters.count - 1)
        } else {
            var length: Int32 = 0
            try check("MPI_Get_processor_name", MPI_Get_processor_name(&characters, &length))
        }
        return String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Ends every process of the job at once; `mpirun` ends with `exitCode`.
    ///
    /// What was written so far is flushed first. An exit code whose low byte is 0 would look like success and becomes
    /// 70 (`EX_SOFTWARE`). The corresponding C function is `MPI_Abort` (MPI 3.1, section 8.7).
    public func abort(exitCode: Int32) -> Never {
        let code = failureCode(exitCode)
        fflush(nil)
        if handle != nil { _ = MPI_Abort(COpenMPI_COMM_WORLD(), code) }
        _exit(code)
    }
}

@available(*, unavailable)
extension Communicator: Sendable {}

/// `code` as a shell sees it, or 70 (`EX_SOFTWARE`) if a shell would take it for success.
func failureCode(_ code: Int32) -> Int32 {
    code & 0xFF == 0 ? 70 : code & 0xFF
}
