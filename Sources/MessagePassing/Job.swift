internal import COpenMPI
internal import Glibc
internal import Synchronization

/// Starts message passing, runs `body` on this process of the job, and ends the process.
///
/// Under `mpirun` the communicator holds all processes of the job; started without a launcher, this process alone, and MPI is
/// not started at all. Processes that a launcher has started without telling them of each other end with 64 (`EX_USAGE`).
///
/// - If `body` returns, MPI is finalised, which waits for the other processes, and the process ends with the code that
///   `body` returned.
/// - If `body` throws, one line goes to standard error, which from a process other than 0 names it
///   (`rankwise: process 3: <message>`), and `MPI_Abort` ends the job. MPI is *not* finalised: that could wait for
///   processes that never come. An error that all processes meet is told by process 0 alone.
///
/// `mpirun` ends with the code of the process that failed. Open MPI adds a banner of its own, unless it is started as
/// `mpirun -q`.
///
/// The corresponding C functions are `MPI_Init_thread` with `MPI_THREAD_FUNNELED`, `MPI_Finalize` and `MPI_Abort` (MPI
/// 3.1, sections 8.7 and 12.4).
///
/// - Parameters:
///   - program: the name at the start of an error's line.
///   - exitCode: the exit code for an error; one that a shell would read as 0 becomes 70 (`EX_SOFTWARE`).
///   - body: the work; its result is the exit code of the process.
public func runJob(
    named program: String = "rankwise", exitCode: (any Error) -> Int32, body: (borrowing Communicator) throws -> Int32
) -> Never {
    let world: Communicator
    do {
        guard !isStarted.exchange(true, ordering: .relaxed) else { throw startedAgain }
        switch Launcher() {
        case .none: world = .ofOneProcess
        case .messagePassing: world = try startMessagePassing()
        case .severalStrangers(let count):
            report(
                "srun has started \(count) processes that do not know of each other; start them with srun --mpi=pmix, or with "
                    + "mpirun in a batch script", program: program, process: 0)
            exit(64)
        }
    } catch {
        report(error, program: program, process: 0)
        exit(failureCode(exitCode(error)))
    }
    var code: Int32
    do {
        code = try body(world)
        fflush(nil)
        if world.handle != nil { try check("MPI_Finalize", MPI_Finalize()) }
    } catch {
        code = endJob(of: world, after: error, program: program, exitCode: exitCode(error))
    }
    exit(code)
}

private let isStarted = Atomic<Bool>(false)

private let startedAgain = MessagePassingError(
    .alreadyStarted, routine: "MPI_Init_thread", "MPI can be started only once in a process, and it was started before")

private func startMessagePassing() throws(MessagePassingError) -> Communicator {
    var isInitialized: Int32 = 0
    try check("MPI_Initialized", MPI_Initialized(&isInitialized))
    guard isInitialized == 0 else { throw startedAgain }
    // A process that never comes would be waited for without end.
    endIfNotDone(within: 300)
    defer { alarm(0) }
    let funneled = Int32(MPI_THREAD_FUNNELED)
    var level: Int32 = 0
    try check("MPI_Init_thread", MPI_Init_thread(nil, nil, funneled, &level))
    guard level >= funneled else {
        throw MessagePassingError(
            .threadLevel, routine: "MPI_Init_thread",
            "the MPI library offers thread level \(level); expected at least \(funneled) (MPI_THREAD_FUNNELED); "
                + "use a build of Open MPI with thread support")
    }
    return try Communicator(handle: COpenMPI_COMM_WORLD(), countLimit: Int(Int32.max))
}

/// Ends this process, with a line that says so, unless `alarm(0)` is called in time.
private func endIfNotDone(within seconds: UInt32) {
    signal(SIGALRM) { _ in
        let line: StaticString = "rankwise: MPI has not started in time; a process of the job is stopped or cut off\n"
        _ = write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
        _exit(70)
    }
    // Whoever started this process may have blocked it.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGALRM)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    alarm(seconds)
}

/// Reports `error` and ends the job: the other processes, if there are any, and this one with them; else gives the code
/// to end with.
private func endJob(
    of world: borrowing Communicator, after error: any Error, program: String, exitCode: Int32
) -> Int32 {
    if world.isAlone {
        report(error, program: program, process: 0)
        // Nobody is left to wait for, and finalising removes the files of the session. The exit code tells mpirun, if
        // there is one.
        fflush(nil)
        if world.handle != nil { _ = MPI_Finalize() }
        return failureCode(exitCode)
    }
    if world.processIndex > 0 {
        // An error that all processes meet, such as a missing file, should be told once: process 0 goes first and ends
        // the job.
        usleep(200_000)
    }
    report(error, program: program, process: world.processIndex)
    world.abort(exitCode: exitCode)
}

/// Writes one line about `error` to standard error.
private func report(_ error: Any, program: String, process: Int) {
    let message = String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
    let line = process == 0 ? "\(program): \(message)\n" : "\(program): process \(process): \(message)\n"
    // Standard output first: a terminal then shows the error last.
    fflush(nil)
    var bytes = Substring(line).utf8
    while !bytes.isEmpty {
        // One call for the whole line, so that lines of several processes do not mix.
        let written = Array(bytes).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        guard written > 0 || errno == EINTR else { return }
        bytes = bytes.dropFirst(max(written, 0))
    }
}
