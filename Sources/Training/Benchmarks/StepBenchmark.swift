package import Foundation
import LinearAlgebra
package import MessagePassing

/// Times training steps by part, against the time of the same steps' products alone.
package struct StepBenchmark: Codable, Sendable {
    package let processes: Int
    package let steps: Int
    /// Median of a step; of all processes, the slowest.
    package let stepSeconds: Double
    /// Samples and real tokens in a second.
    package let samplesPerSecond: Double
    package let tokensPerSecond: Double
    /// Time of the step's products alone, each step's taken right after it; median, of the slowest process.
    package let floorSeconds: Double
    /// Median of the ratios of each step to its floor.
    package let ratioToFloor: Double
    /// Medians by part, of process 0: the frozen weights' products, the adapters, attention, what is left of the passes
    /// (element-wise), and the phases of the step.
    package let parts: [Part]
    /// From the start of the program to the end of the first step.
    package let firstStepSeconds: Double
    /// Most memory that a process had resident, in bytes, and the part of it that was its own at the end.
    package let peakMemory: Int
    package let ownMemory: Int
    /// Resident at the end, with what processes share divided by their number (PSS), in bytes; the most of a process.
    package let proportionalMemory: Int

    package struct Part: Codable, Sendable {
        package let name: String
        package let seconds: Double
    }

    /// Takes steps of a run that leaves nothing on the disk. Collective.
    ///
    /// - Parameters:
    ///   - steps: that are measured, after a few that are not.
    ///   - launch: when the program started.
    package static func run(
        _ configuration: TrainingConfiguration, steps: Int, launch: Date, _ communicator: borrowing Communicator
    ) throws -> StepBenchmark {
        try ProcessThreads.use(configuration.threads, communicator)
        let plan = try TrainingRun.prepare(configuration, storage: try NodeWeights(communicator))
        let trainer = try Trainer(configuration: configuration, network: plan.network, communicator)
        let times = PhaseTimes()
        let watch = StepWatch(times: times)
        var first = 0.0
        for index in 0..<warmUp {
            _ = try trainer.takeStep(watch: watch, checkpoint: .none, communicator)
            if index == 0 { first = Date().timeIntervalSince(launch) }
        }
        var (seconds, floors, tokens) = ([Double](), [Double](), 0)
        var parts: [[String: Double]] = []
        for _ in 0..<steps {
            _ = times.take()
            try communicator.barrier()
            var report: StepReport?
            let record = try WorkLog.recording {
                report = try trainer.takeStep(watch: watch, checkpoint: .none, communicator)
            }
            parts.append(Self.parts(times.take(), record.seconds))
            tokens += report?.tokens ?? 0
            try communicator.barrier()
            let floor = WorkLog.replay(record.products)
            let slowest = try communicator.allGathered([report?.seconds ?? 0, floor])
            seconds.append(stride(from: 0, to: slowest.count, by: 2).map { slowest[$0] }.max() ?? 0)
            floors.append(stride(from: 1, to: slowest.count, by: 2).map { slowest[$0] }.max() ?? 0)
        }
        let total = seconds.reduce(0, +)
        let memory = ProcessMemory()
        let peaks = try communicator.allGathered([Int64(memory.peak), Int64(memory.own), Int64(memory.proportional)])
        func most(_ index: Int) -> Int { Int(stride(from: index, to: peaks.count, by: 3).map { peaks[$0] }.max() ?? 0) }
        return StepBenchmark(
            processes: communicator.processCount, steps: steps, stepSeconds: seconds.median,
            samplesPerSecond: Double(steps * configuration.batchSize) / total, tokensPerSecond: Double(tokens) / total,
            floorSeconds: floors.median, ratioToFloor: zip(seconds, floors).map { $0 / $1 }.median,
            parts: names.map { name in Part(name: name, seconds: parts.map { $0[name] ?? 0 }.median) },
            firstStepSeconds: first,
            peakMemory: most(0), ownMemory: most(1), proportionalMemory: most(2))
    }

    private static let warmUp = 3
    private static let names = [
        "products", "adapters", "attention", "element-wise", "reduction", "agreement", "update", "decision", "sharing",
    ]

    private static func parts(
        _ phases: [StepWatch.Phase: Double], _ work: [WorkLog.Part: Double]
    ) -> [String: Double] {
        let (products, adapters) = (work[.products] ?? 0, work[.adapters] ?? 0)
        let (attention, local) = (work[.attention] ?? 0, phases[.local] ?? 0)
        return [
            "products": products, "adapters": adapters, "attention": attention,
            "element-wise": local - products - adapters - attention, "reduction": phases[.reduce] ?? 0,
            "agreement": phases[.agree] ?? 0, "update": phases[.update] ?? 0, "decision": phases[.decide] ?? 0,
            "sharing": phases[.share] ?? 0,
        ]
    }
}

extension [Double] {
    /// The middle one, or the mean of the two in the middle; 0 of none.
    package var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}

/// What the kernel says of this process's memory, in bytes.
package struct ProcessMemory {
    /// Most that was resident.
    package let peak: Int
    /// Resident now, and shared with no file.
    package let own: Int
    /// Resident now, with what processes share divided by their number.
    package let proportional: Int

    package init() {
        func value(_ key: String, of file: String) -> Int {
            let text = (try? String(contentsOfFile: "/proc/self/" + file, encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
            return 1_024
                * (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0)
        }
        peak = value("VmHWM", of: "status")
        own = value("RssAnon", of: "status")
        proportional = value("Pss", of: "smaps_rollup")
    }
}
