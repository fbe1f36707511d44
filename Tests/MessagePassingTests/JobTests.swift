import MultiProcessTesting
import Testing

@Suite("the end of a job")
struct JobTests {
    @Test(
        "one process throws while the others wait in a barrier: the job ends in seconds, with its code and message",
        arguments: 1...4)
    func throwInBarrier(processCount: Int) async throws {
        let result = try await runChecks(["throw-in-barrier=65"], processCount: processCount)
        #expect(result.status == 65)
        #expect(result.seconds < 10)
        let origin = processCount == 1 ? "" : "process \(processCount - 1): "
        #expect(result.standardError == "rankwise: \(origin)boom in the middle\n")
        #expect(result.standardOutput == "written before the error\n", "what was written before the error is lost")
    }

    @Test("an error on one process is never reported as success, whatever its code", arguments: ["0", "256", "-256"])
    func codeZero(code: String) async throws {
        #expect(try await runChecks(["throw-in-barrier=\(code)"], processCount: 2).status == 70)
        #expect(try await runChecks(["throw-in-barrier=\(code)"], processCount: nil).status == 70)
    }

    @Test("an error that all processes share is told once", arguments: [1, 2, 4])
    func throwEverywhere(processCount: Int) async throws {
        let result = try await runChecks(["throw-everywhere"], processCount: processCount)
        #expect(result.status == 1)
        #expect(result.standardError == "rankwise: the configuration is wrong\n")
    }

    @Test("the code that the body returns is that of the job", arguments: [0, 75], [nil, 1, 3] as [Int?])
    func returnedCode(code: Int32, processCount: Int?) async throws {
        let result = try await runChecks(["return-code=\(code)"], processCount: processCount)
        #expect(result.status == code)
        let count = processCount ?? 1
        let lines = result.standardOutput.split(separator: "\n").map(String.init).sorted()
        #expect(lines == (0..<count).map { "process \($0) of \(count)" })
    }

    @Test("abort ends all processes with its code", arguments: [nil, 1, 3] as [Int?])
    func abort(processCount: Int?) async throws {
        let result = try await runChecks(["abort=66"], processCount: processCount)
        #expect(result.status == 66)
        #expect(result.seconds < 10)
    }

    @Test(
        "several processes that MPI sees alone are refused, and the first tells",
        arguments: [
            "PMI_SIZE PMI_RANK", "SLURM_STEP_NUM_TASKS SLURM_PROCID", "OMPI_COMM_WORLD_SIZE OMPI_COMM_WORLD_RANK",
        ])
    func otherLauncher(variables: String) async throws {
        let names = variables.split(separator: " ").map(String.init)
        let checks = try builtExecutable(named: "multi-process-checks")
        for index in 0...1 {
            let result = try await launchJob(
                executable: checks, arguments: ["return-code=0"], processCount: nil,
                environment: [names[0]: "2", names[1]: String(index)])
            #expect(result.status == 64)
            #expect(result.standardOutput.isEmpty)
            #expect(result.standardError.contains("2 processes were started (\(names[0]))") == (index == 0))
        }
    }

    @Test("what started mpirun itself is no matter to a job of it", arguments: 1...2)
    func nestedLauncher(processCount: Int) async throws {
        let result = try await launchJob(
            executable: try builtExecutable(named: "multi-process-checks"), arguments: ["return-code=0"],
            processCount: processCount, environment: ["PMI_SIZE": "4", "SLURM_STEP_NUM_TASKS": "4"])
        #expect(result.status == 0, "\(result.standardError)")
    }

    @Test("a process started without mpirun is a job of one, with an environment that holds nothing")
    func singleton() async throws {
        let checks = try builtExecutable(named: "multi-process-checks")
        let result = try await launchJob(
            executable: "env",
            arguments: ["-i", checks, "all-reduce", "all-gather-varying", "all-to-all-varying", "node"],
            processCount: nil, timeout: 30)
        #expect(result.status == 0)
        #expect(result.standardError == "")
    }

    @Test("an error in a process started without mpirun ends it with the error's code and message")
    func singletonError() async throws {
        let result = try await runChecks(["throw-in-barrier=74"], processCount: nil)
        #expect(result.status == 74)
        #expect(result.standardError == "rankwise: boom in the middle\n")
        #expect(result.standardOutput == "written before the error\n")
    }

    @Test("starting message passing a second time is an error, not a crash")
    func startAgain() async throws {
        let result = try await runChecks(["start-again"], processCount: nil)
        #expect(result.status == 9)
        #expect(result.standardError.hasPrefix("rankwise: MPI_Init_thread: MPI can be started only once"))
    }

    @Test("a check that no one knows is refused, so that a misspelt test cannot pass")
    func unknownCheck() async throws {
        let result = try await runChecks(["no-such-check"], processCount: 2)
        #expect(result.status == 64)
    }

    @Test("a job that hangs is ended when its time is up")
    func hang() async throws {
        let result = try await launchJob(executable: "sleep", arguments: ["60"], processCount: 2, timeout: 2)
        #expect(result.timedOut)
        #expect(result.status != 0)
        #expect(result.seconds < 15)
    }
}
