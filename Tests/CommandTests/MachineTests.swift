import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@testable import Training

#if canImport(Glibc)
    import Glibc
#endif

@Suite("Machines and launchers", .serialized)
struct MachineTests {
    private func shell(_ script: String, _ environment: [String: String] = [:]) async throws -> JobResult {
        let rankwise = try builtExecutable(named: "rankwise")
        let runScript = Fixture.package.path + "/launch/run.sh"
        let asRoot = getuid() == 0 ? "--allow-run-as-root" : ""
        return try await launchJob(
            executable: "/bin/bash",
            arguments: [
                "-c",
                "rankwise='\(rankwise)'; run='\(runScript)'; mpirun='mpirun -q --oversubscribe --bind-to none \(asRoot)'; \(script)",
            ], processCount: nil, environment: environment, timeout: 120)
    }

    @Test(
        "a process that no launcher started needs no place for a session, in a batch script either",
        arguments: [
            ["TMPDIR": "/dev/null"], ["TMPDIR": "/does/not/exist"],
            ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0", "TMPDIR": "/dev/null"],
        ])
    func alone(environment: [String: String]) async throws {
        let job = try TinyJob()
        let trained = try await job.train("run", environment: environment)
        #expect(trained.status == 0, "\(trained.standardError)")
        let data = job.path + "/test.tsv"
        let adapter = job.path + "/run"
        for arguments in [
            ["evaluate", "--adapter", adapter, "--data", data], ["train", "--config", job.configPath, "--dry-run"],
            ["spectrum", Fixture.path("tiny-bert")],
            [
                "weights", "clip", "--limit", "0.5", "--input", Fixture.path("tiny-bert") + "/model.safetensors",
                "--output",
                job.path + "/clipped.safetensors",
            ],
        ] {
            let result = try await rankwise(arguments, environment: environment)
            #expect(result.status == 0, "\(arguments): \(result.standardError)")
        }
        let jointly = try await job.train("jointly", processes: 1)
        #expect(jointly.status == 0)
        #expect(try job.results("run") == job.results("jointly"))
    }

    @Test("processes that know nothing of each other are refused, with how to start them")
    func strangers() async throws {
        let job = try TinyJob()
        let result = try await job.train("run", environment: ["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"])
        #expect(result.status == 64 && result.standardError.contains("srun --mpi=pmix"), "\(result.standardError)")
        #expect(!FileManager.default.fileExists(atPath: job.path + "/run"))
    }

    @Test("run.sh says why it cannot start a job: inside of another, or without a place for mpirun's session")
    func runScript() async throws {
        let job = try TinyJob()
        let inside = try await shell("$mpirun -np 1 bash $run --rankwise $rankwise -- --config \(job.configPath)")
        #expect(inside.status == 64 && inside.standardError.contains("inside a process of an MPI job"))
        let session = try await shell(
            "bash $run --rankwise $rankwise -- --config \(job.configPath)", ["TMPDIR": "/dev/null/session"])
        #expect(session.status == 74 && session.standardError.contains("TMPDIR"), "\(session.standardError)")
        // A folder's name comes as it is, whatever YAML has to quote in it.
        for name in ["odd \"#1\" a", "null", "[a]", "a: b", "it's"] {
            let odd = try await rankwise(
                "train", "--config", job.configPath, "--set", "output='\(name.replacing("'", with: "''"))'", "--show",
                "output")
            #expect(odd.standardOutput == name + "\n", "\(odd.standardError)")
        }
        let shown = try await rankwise("train", "--config", job.configPath, "--show", "output")
        #expect(shown.status == 0 && shown.standardOutput == job.path + "/run\n")
        let wrong = try await rankwise("train", "--config", job.configPath, "--show", "outptu")
        #expect(wrong.status == 64 && wrong.standardError.contains("did you mean 'output'"))
    }

    @Test("one core will do, and run.sh under nohup outlives its terminal")
    func oneCore() async throws {
        let job = try TinyJob()
        let result = try await shell(
            "taskset -c 0 bash $run --processes 2 --rankwise $rankwise -- --config \(job.configPath)")
        #expect(result.status == 0, "\(result.standardError)")
        // mpirun ends its job at SIGHUP, whatever nohup says; run.sh keeps the signal from it.
        let nohup = try await shell(
            """
            nohup bash $run --processes 2 --rankwise $rankwise -- --config \(job.configPath) \
                --set output=\(job.path)/nohup >\(job.path)/log 2>&1 </dev/null & job=$!
            sleep 1; kill -HUP $job; wait $job
            """)
        #expect(nohup.status == 0, "\(nohup.standardError)")
        #expect(try job.results("nohup") == job.results("run"))
    }

    @Test("a container's share of the processors is read as control groups write it")
    func quota() {
        #expect(CoreQuota.cores(ofLimit: "max 100000\n") == nil)
        #expect(CoreQuota.cores(ofLimit: "150000 100000\n") == 1.5)
        #expect(CoreQuota.cores(ofLimit: "-1\n 100000\n") == nil)
        #expect(CoreQuota.cores(ofLimit: "") == nil)
        #expect(CoreQuota.cores(ofLimit: "100000 0") == nil)
    }

    @Test("a folder on a file system without locks is held by a file, and by one job", arguments: [38, 37])
    func noLocks(code: Int) async throws {
        let job = try TinyJob()
        let library = job.path + "/nolock.so"
        try job.write(
            "#include <errno.h>\nint flock(int d, int o) { errno = \(code); return -1; }\n", to: "nolock.c")
        let compiled = try await shell(
            "cc -shared -fPIC -o \(library) \(job.path)/nolock.c || clang -shared -fPIC -o \(library) \(job.path)/nolock.c"
        )
        try #require(compiled.status == 0, "no C compiler")
        let environment = ["LD_PRELOAD": library]
        let held = job.path + "/run/.lock.held"
        for processes in [nil, 2] as [Int?] {
            let result = try await job.train("run", ["--overwrite"], processes: processes, environment: environment)
            #expect(result.status == 0 && result.standardError.contains("has no locks"), "\(result.standardError)")
            #expect(!FileManager.default.fileExists(atPath: held))
        }
        // One that is killed leaves the file; the next job on this host takes it over, on another it is told of.
        let host = ProcessInfo.processInfo.hostName
        let dead = try await shell("sh -c 'exit 0' & echo $!; wait")
        let process = dead.standardOutput.split(separator: "\n").first ?? ""
        try job.write("process \(process) on \(host)\n", to: "run/.lock.held")
        #expect(try await job.train("run", ["--overwrite"], environment: environment).status == 0)
        try job.write("process 1 on elsewhere\n", to: "run/.lock.held")
        let elsewhere = try await job.train("run", ["--overwrite"], environment: environment)
        #expect(
            elsewhere.status == 64 && elsewhere.standardError.contains("remove the file"), "\(elsewhere.standardError)")
        #expect(FileManager.default.fileExists(atPath: held))
    }

    @Test("with little shared memory each process converts the weights, to the same bytes")
    func littleSharedMemory() async throws {
        let allowed = try await shell("unshare -m true")
        // Where namespaces may not be made, as in many containers, this cannot be tried.
        guard allowed.status == 0 else { return }
        let job = try TinyJob(model: "tiny-bert-float16")
        let result = try await shell(
            """
            unshare -m sh -c "mount -t tmpfs -o size=1m tmpfs /dev/shm && $mpirun --mca btl self,tcp -np 2 $rankwise train \
                --config \(job.configPath)"
            """)
        #expect(result.status == 0 && result.standardError.contains("/dev/shm has"), "\(result.standardError)")
        let shared = try await job.train("shared", processes: 2)
        #expect(shared.status == 0 && !shared.standardError.contains("/dev/shm"))
        #expect(try job.results("run") == job.results("shared"))
    }
}
