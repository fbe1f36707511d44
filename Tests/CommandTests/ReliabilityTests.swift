import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A shell script in which `$rankwise` is the product and `$mpirun` starts a job of two processes of it.
private func shell(_ script: String, timeout: Double = 120) async throws -> JobResult {
    let asRoot = getuid() == 0 ? "--allow-run-as-root" : ""
    let mpirun = "mpirun -q --oversubscribe --bind-to none \(asRoot)"
    return try await launchJob(
        executable: "/bin/bash",
        arguments: ["-c", "rankwise='\(try builtExecutable(named: "rankwise"))'; mpirun='\(mpirun)'; \(script)"],
        processCount: nil, timeout: timeout)
}

@Suite("Whatever happens to its processes", .serialized)
struct ReliabilityTests {
    /// A run of many short steps, so that there is a middle to be disturbed in.
    private func options(_ job: TinyJob, _ output: String, steps: Int = 400) -> String {
        "train --config \(job.configPath) --set output=\(job.folder.path)/\(output) --set total_step=\(steps) "
            + "--set checkpoint.every=100"
    }

    @Test(
        "a run that is asked to stop leaves a checkpoint, exits with 75, and ends with the same bytes",
        arguments: ["TERM", "INT", "USR1", "HUP"])
    func stop(signal: String) async throws {
        let job = try TinyJob()
        let whole = try await shell("$rankwise \(options(job, "whole"))")
        #expect(whole.status == 0, "\(whole.standardError)")
        // To one process of the job; mpirun passes USR1 on by itself.
        let stopped = try await shell(
            """
            $mpirun -np 2 $rankwise \(options(job, "stopped")) & job=$!
            while [ ! -s \(job.folder.path)/stopped/metrics.jsonl ]; do sleep 0.05; done; sleep 0.3
            if [ \(signal) = USR1 ]; then kill -USR1 $job; else kill -\(signal) $(pgrep -P $job | tail -n 1); fi
            wait $job
            """)
        #expect(stopped.status == 75, "\(stopped.standardError)")
        #expect(stopped.standardError.contains("stopped on request after step"))
        #expect(try await rankwise("checkpoint", "verify", job.folder.path + "/stopped").status == 0)
        let resumed = try await shell("$mpirun -np 3 $rankwise \(options(job, "stopped")) --resume")
        #expect(resumed.status == 0, "\(resumed.standardError)")
        #expect(try job.results("stopped") == job.results("whole"))
    }

    @Test("a run goes on when the reader of its log is gone, and under nohup when its terminal is closed")
    func goneReader() async throws {
        let job = try TinyJob()
        let piped = try await shell("set -o pipefail; $rankwise \(options(job, "piped")) 2>&1 | head -n 1")
        #expect(piped.status == 0, "\(piped.standardError)")
        let kept = try await shell(
            """
            nohup $rankwise \(options(job, "kept")) & job=$!
            while [ ! -s \(job.folder.path)/kept/metrics.jsonl ]; do sleep 0.05; done; kill -HUP $job; wait $job
            """)
        #expect(kept.status == 0, "\(kept.standardError)")
        #expect(try job.results("piped") == job.results("kept"))
    }

    @Test("too little address space is refused at once")
    func addressSpace() async throws {
        let job = try TinyJob()
        let result = try await shell("ulimit -v 500000; timeout 60 $rankwise \(options(job, "run"))")
        #expect(result.status == 64, "\(result.standardError)")
        #expect(result.standardError.contains("ulimit -v"))
        #expect(!FileManager.default.fileExists(atPath: job.folder.path + "/run/metrics.jsonl"))
    }

    @Test("a process that stands still ends the job within the timeout, and is named")
    func standstill() async throws {
        let job = try TinyJob()
        let result = try await shell(
            """
            $mpirun -np 3 $rankwise \(options(job, "run", steps: 100_000)) --set step_timeout=2 & job=$!
            while [ ! -s \(job.folder.path)/run/metrics.jsonl ]; do sleep 0.05; done; sleep 0.5
            victim=$(pgrep -P $job | tail -n 1); kill -STOP $victim; start=$SECONDS
            wait $job; code=$?
            echo "ended after $((SECONDS - start)) s"; sleep 2; kill -0 $victim 2>/dev/null && { echo alive; kill -KILL $victim; }
            exit $code
            """)
        #expect(result.status != 0)
        #expect(result.standardError.contains("no progress for"), "\(result.standardError)")
        #expect(result.standardError.contains("has given no sign of life"), "\(result.standardError)")
        #expect(!result.standardOutput.contains("alive"))
        let seconds = result.standardOutput.firstMatch(of: /ended after (\d+) s/).flatMap { Int($0.1) }
        #expect(seconds ?? 99 <= 12)
    }

    @Test("processes with other BLAS kernels are refused where these are in the result, with process and host")
    func kernels() async throws {
        let job = try TinyJob()
        let command = "$rankwise \(options(job, "run")) --set adapter.initialization=svd"
        let result = try await shell(
            "$mpirun -np 1 -x OPENBLAS_CORETYPE=Haswell \(command) : -np 1 -x OPENBLAS_CORETYPE=Sandybridge \(command)")
        #expect(result.status == 64)
        #expect(result.standardError.contains("process 1 on"), "\(result.standardError)")
        #expect(result.standardError.contains("BLAS kernel type Sandybridge, process 0"), "\(result.standardError)")
        #expect(!FileManager.default.fileExists(atPath: job.folder.path + "/run/metrics.jsonl"))
    }

    @Test(
        "numbers that are not finite leave the state untouched, and end the run with the last good one in a checkpoint")
    func notFinite() async throws {
        let job = try TinyJob()
        let result = try await rankwise(
            "train", "--config", job.configPath, "--set", "optimizer.lr=1e30", "--set", "optimizer.warmup_steps=0",
            "--set", "max_skipped_steps=4", processes: 2)
        #expect(result.status == 65)
        #expect(result.standardError.contains("was skipped: process"), "\(result.standardError)")
        #expect(result.standardError.contains("in 4 steps in a row"))
        let metrics = try job.metrics("run")
        let skipped = metrics.filter { $0["skipped"] != nil }.compactMap { $0["step"] as? Int }
        #expect(skipped.count == 4 && skipped == Array((skipped.first ?? 0)..<(skipped.first ?? 0) + 4))
        #expect(try await rankwise("checkpoint", "verify", job.folder.path + "/run").status == 0)
        func shard(_ step: Int) throws -> Data {
            let name = String(format: "step-%08d", step)
            let bytes = try Data(
                contentsOf: URL(fileURLWithPath: "\(job.folder.path)/run/checkpoints/\(name)/shard-00000.safetensors"))
            return bytes
        }
        // Before the first skipped step, and after the last.
        #expect(try shard(skipped[0]) == shard(skipped[3] + 1))
    }

    @Test(
        "on a full disk a run says so, goes on, keeps the last good checkpoint, and writes the next when it can",
        .enabled(if: getuid() == 0, "mounting a small file system needs root"))
    func fullDisk() async throws {
        let job = try TinyJob()
        let disk = job.folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let result = try await shell(
            """
            mount -t tmpfs -o size=4m tmpfs \(disk) || exit 77
            trap 'umount -l \(disk)' EXIT
            log=\(job.folder.path)/log
            $mpirun -np 2 $rankwise \(options(job, "disk/run", steps: 800)) --set checkpoint.every=50 --set checkpoint.keep=3 2> $log & job=$!
            until ls \(disk)/run/checkpoints/step-00000050 >/dev/null 2>&1; do sleep 0.05; done
            dd if=/dev/zero of=\(disk)/filler bs=4k 2>/dev/null
            until grep -q 'could not be written' $log || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
            $rankwise checkpoint verify \(disk)/run && echo intact
            rm \(disk)/filler
            wait $job; code=$?; cat $log >&2
            $rankwise checkpoint verify \(disk)/run; wc -l < \(disk)/run/metrics.jsonl
            exit $code
            """)
        guard result.status != 77 else { return }
        #expect(result.status == 0, "\(result.standardError)")
        #expect(result.standardError.contains("could not be written"), "\(result.standardError)")
        #expect(result.standardOutput.contains("intact"))
        #expect(result.standardOutput.contains("step 800  valid"), "\(result.standardOutput)")
        #expect(result.standardOutput.contains("800\n"))
    }

    @Test(
        "launch/run.sh restarts after a process or mpirun was killed, passes on what no restart mends, and gives up without progress"
    )
    func supervision() async throws {
        let job = try TinyJob()
        let whole = try await shell("$rankwise \(options(job, "whole"))")
        #expect(whole.status == 0)
        let script = Fixture.package.path + "/launch/run.sh"
        let crashed = try await shell(
            """
            bash \(script) --processes 2 --rankwise $rankwise -- \(options(job, "crashed").dropFirst("train ".count)) & job=$!
            until ls \(job.folder.path)/crashed/checkpoints/step-00000100 >/dev/null 2>&1; do sleep 0.05; done
            pkill -KILL -n -f "output=\(job.folder.path)/crashed --set.*--resume"
            until ls \(job.folder.path)/crashed/checkpoints/step-00000200 >/dev/null 2>&1; do sleep 0.05; done
            pkill -KILL -o -f "^mpirun .*output=\(job.folder.path)/crashed --set.*--resume"
            wait $job
            """)
        #expect(crashed.status == 0, "\(crashed.standardError)")
        #expect(crashed.standardError.contains("restart 2 of 10"), "\(crashed.standardError)")
        #expect(try job.results("crashed") == job.results("whole"))
        let hopeless = try await shell(
            "bash \(script) --rankwise $rankwise -- \(options(job, "hopeless").dropFirst("train ".count)) --set optimizer.lr=1e30"
        )
        #expect(hopeless.status == 65)
        #expect(!hopeless.standardError.contains("restart"), "\(hopeless.standardError)")
        let stuck = try await shell(
            """
            printf '#!/bin/bash\ncase "$*" in *--show*) exec %q "$@" ;; *) kill -KILL $$ ;; esac\n' $rankwise > \(job.folder.path)/dies
            chmod +x \(job.folder.path)/dies
            bash \(script) --rankwise \(job.folder.path)/dies -- \(options(job, "stuck").dropFirst("train ".count))
            """)
        #expect(stuck.status != 0)
        #expect(stuck.standardError.contains("giving up"), "\(stuck.standardError)")
        let wrong = try await shell("bash \(script) --rankwise $rankwise -- --config /nowhere.yaml")
        #expect(wrong.status == 66)
    }

    @Test(
        "a run is not resumed with another tokenizer, nor, if it started from singular vectors, on another type of processor"
    )
    func changedInputs() async throws {
        let job = try TinyJob()
        let model = job.folder.path + "/model"
        let stopped = try await shell(
            """
            cp -r \(Fixture.path("tiny-bert")) \(model)
            OPENBLAS_CORETYPE=Haswell $rankwise \(options(job, "run", steps: 2_000)) --set model=\(model) \
                --set adapter.initialization=svd & job=$!
            until ls \(job.folder.path)/run/checkpoints/step-00000100 >/dev/null 2>&1; do sleep 0.05; done
            kill -TERM $job; wait $job
            """)
        #expect(stopped.status == 75, "\(stopped.standardError)")
        let resume =
            "\(options(job, "run", steps: 2_000)) --set model=\(model) --set adapter.initialization=svd --resume"
        let kernels = try await shell("OPENBLAS_CORETYPE=Sandybridge $rankwise \(resume)")
        #expect(kernels.status == 64 && kernels.standardError.contains("--any-processor"), "\(kernels.standardError)")
        let tokenizer = try await shell("echo >> \(model)/vocab.txt; OPENBLAS_CORETYPE=Haswell $rankwise \(resume)")
        #expect(tokenizer.status == 64 && tokenizer.standardError.contains("the model"), "\(tokenizer.standardError)")
        let allowed = try await shell(
            """
            cp \(Fixture.path("tiny-bert"))/vocab.txt \(model)/vocab.txt
            OPENBLAS_CORETYPE=Sandybridge $rankwise \(resume) --any-processor
            """)
        #expect(allowed.status == 0, "\(allowed.standardError)")
        #expect(allowed.standardError.contains("the last bits will differ"))
    }

    @Test("a model file that is written over ends the run before the next checkpoint")
    func changedModel() async throws {
        let job = try TinyJob()
        let model = job.folder.path + "/model"
        let result = try await shell(
            """
            cp -r \(Fixture.path("tiny-bert")) \(model)
            $rankwise \(options(job, "run", steps: 100_000)) --set model=\(model) & job=$!
            until ls \(job.folder.path)/run/checkpoints/step-00000100 >/dev/null 2>&1; do sleep 0.05; done
            head -c 1 /dev/zero | dd of=\(model)/model.safetensors bs=1 seek=100000 conv=notrunc 2>/dev/null
            wait $job
            """)
        #expect(result.status == 65)
        #expect(result.standardError.contains("changed while the run was using it"), "\(result.standardError)")
    }

    @Test("lost metrics are told of, an adapter that is gone is made again, and a damaged one is refused")
    func results() async throws {
        let job = try TinyJob()
        let run = job.folder.path + "/run"
        let whole = try await shell("$rankwise \(options(job, "run"))")
        #expect(whole.status == 0, "\(whole.standardError)")
        let before = try job.results("run")
        let resumed = try await shell(
            """
            rm -r \(run)/adapter; sed -i '3s/"step"/"stop"/' \(run)/metrics.jsonl
            $rankwise \(options(job, "run")) --resume
            """)
        #expect(resumed.status == 0, "\(resumed.standardError)")
        #expect(resumed.standardError.contains("1 of the lines of steps 0 to 399"), "\(resumed.standardError)")
        let after = try job.results("run")
        #expect(before.allSatisfy { $0.key == "metrics" || after[$0.key] == $0.value })
        let damaged = try await shell(
            """
            head -c 1 /dev/zero | dd of=\(run)/adapter/adapter_model.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
            echo text | $rankwise predict --adapter \(run)
            """)
        #expect(damaged.status == 65)
        #expect(damaged.standardError.contains("its SHA-256 differs"), "\(damaged.standardError)")
    }

    @Test("a log that cannot be written does not end a run")
    func fullLog() async throws {
        let job = try TinyJob()
        let result = try await shell("$rankwise \(options(job, "run")) 2>/dev/full")
        #expect(result.status == 0)
        let wrong = try await shell("$rankwise checkpoint verify /nowhere 2>/dev/full")
        #expect(wrong.status == 66)
    }

    @Test("a stop whose checkpoint cannot be written does not pretend that it was")
    func stopWithoutCheckpoint() async throws {
        let job = try TinyJob()
        let result = try await shell(
            """
            mkdir \(job.folder.path)/run; touch \(job.folder.path)/run/checkpoints
            $rankwise \(options(job, "run", steps: 100_000)) --resume & job=$!
            while [ ! -s \(job.folder.path)/run/metrics.jsonl ]; do sleep 0.05; done
            kill -TERM $job; wait $job
            """)
        #expect(result.status == 74, "\(result.standardError)")
    }
}
