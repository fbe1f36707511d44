public import Foundation

/// What a job left behind.
public struct JobResult: Sendable {
    /// The exit code, or minus the signal's number for a job that a signal ended; of `mpirun`, if the job was started
    /// by it.
    public let status: Int32
    /// What its processes wrote to standard output, as UTF-8.
    public let standardOutput: String
    /// What its processes wrote to standard error, as UTF-8.
    public let standardError: String
    /// Whether the job was ended because its time was up.
    public let timedOut: Bool
    /// How long it took.
    public let seconds: Double
}

/// Runs an executable as a job of several processes, and waits for its end.
///
/// Jobs run one at a time, however many tests ask: several at once would fight for the processors, as waiting processes
/// poll.
///
/// - Parameters:
///   - executable: the path of the program.
///   - arguments: its arguments.
///   - processCount: how many processes `mpirun` is to start; nil starts the program directly, without `mpirun`.
///   - environment: variables to set or replace.
///   - standardInput: what process 0 reads from standard input; nothing by default.
///   - timeout: the seconds after which the job is ended.
/// - Throws: the error of Foundation if the program cannot be started.
public func launchJob(
    executable: String, arguments: [String] = [], processCount: Int?, environment: [String: String] = [:],
    standardInput: Data? = nil, timeout: Double = 60
) async throws -> JobResult {
    var command = [executable] + arguments
    if let processCount {
        var mpirun = ["mpirun", "-q", "-np", String(processCount), "--oversubscribe", "--bind-to", "none"]
        if getuid() == 0 { mpirun.append("--allow-run-as-root") }
        command = mpirun + command
    }
    await turnstile.enter()
    do {
        let result = try await run(command, environment: environment, standardInput: standardInput, timeout: timeout)
        await turnstile.leave()
        return result
    } catch {
        await turnstile.leave()
        throw error
    }
}

private func run(
    _ command: [String], environment: [String: String], standardInput: Data?, timeout: Double
) async throws -> JobResult {
    // Files, not pipes: they hold any amount, and a process that outlives the job cannot keep the reader waiting.
    let folder = FileManager.default.temporaryDirectory.appending(path: "job-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["input", "output", "error"].map { folder.appending(path: $0) }
    try (standardInput ?? Data()).write(to: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])

    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])

    let start = ContinuousClock.now
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in end.finish() }
    try withSignalsUnblocked { try process.run() }
    let identifier = process.processIdentifier
    let watch = Task {
        try await Task.sleep(for: .seconds(timeout))
        // Asked first, so that mpirun ends its processes; a process that does not listen is killed.
        kill(identifier, SIGTERM)
        try await Task.sleep(for: .seconds(5))
        kill(identifier, SIGKILL)
    }
    for await _ in ends {}
    watch.cancel()
    let seconds = (ContinuousClock.now - start) / .seconds(1)

    return JobResult(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        standardOutput: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
        standardError: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self),
        timedOut: seconds >= timeout, seconds: seconds)
}

/// Runs the body with no signal blocked on this thread. Threads of a concurrency pool block most of them, and a child inherits
/// that: it would never see a signal that a test sends.
private func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
}

/// Lets one through at a time, in the order of arrival.
private actor Turnstile {
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            isBusy = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}

private let turnstile = Turnstile()
