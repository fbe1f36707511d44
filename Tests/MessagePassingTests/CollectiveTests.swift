import Foundation
import MultiProcessTesting
import Testing

/// Each check is a claim that the processes of a job verify from their index and count (Sources/MultiProcessChecks).
@Suite("collective operations")
struct CollectiveTests {
    @Test(
        "a collective operation gives what its definition says, on 1 to 4 processes",
        arguments: [
            ["barrier", "node"],
            ["broadcast", "broadcast-text", "broadcast-unequal", "broadcast-no-such-root"],
            ["all-reduce", "all-reduce-bits", "all-reduce-unequal"],
            ["all-gather", "all-gather-varying", "all-gather-in-place", "all-gather-bad-arguments"],
            ["counters"],
            ["all-to-all", "all-to-all-varying", "all-to-all-past-the-limit", "all-to-all-bad-arguments"],
        ], 1...4)
    func holds(checks: [String], processCount: Int) async throws {
        let result = try await runChecks(checks, processCount: processCount)
        #expect(result.status == 0)
        #expect(result.standardError == "")
    }

    @Test(
        "the selection is that of all scores in one place, whether they are gathered or only counted, on 1 to 4 processes",
        arguments: 1...4)
    func selection(processCount: Int) async throws {
        let result = try await runChecks(
            ["selection", "selection-past-the-limit"], processCount: processCount)
        #expect(result.status == 0)
        #expect(result.standardError == "")
    }

    @Test(
        "messages of more than Int32.max elements arrive whole (needs 5 GB: set RANKWISE_LARGE_TESTS)",
        .enabled(if: ProcessInfo.processInfo.environment["RANKWISE_LARGE_TESTS"] != nil))
    func pastInt32() async throws {
        let result = try await runChecks(["past-int32"], processCount: 2, timeout: 300)
        #expect(result.status == 0, "\(result.standardError)")
    }

    @Test("a message longer than its receiver expects is an error with MPI's own text, not a truncated message")
    func truncation() async throws {
        let result = try await runChecks(["truncated"], processCount: 2)
        #expect(result.status == 1)
        #expect(
            result.standardError
                == "rankwise: process 1: MPI_Alltoallv: MPI_ERR_TRUNCATE: message truncated (error code 15)\n")
    }
}

/// Runs checks of `Sources/MultiProcessChecks`, each given as `NAME` or `NAME=ARGUMENT`; without `mpirun` if there is
/// no process count.
func runChecks(_ checks: [String], processCount: Int?, timeout: Double = 120) async throws -> JobResult {
    try await launchJob(
        executable: try builtExecutable(named: "multi-process-checks"), arguments: checks, processCount: processCount,
        timeout: timeout)
}
