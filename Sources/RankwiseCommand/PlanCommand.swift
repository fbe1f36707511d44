import ArgumentParser
import Diagnostics
import Foundation
import Training

/// `rankwise plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Forecast memory, traffic, checkpoints and the time of a step on more processes.",
        discussion: """
            Computes the heaviest process's part of a few steps here, alone, and counts what would be sent:

              rankwise plan --config run.yaml --processes 8
              rankwise plan --config run.yaml --processes 64 --hosts 4 --gigabits 25

            Leave the machine otherwise idle, and use one of the kind that the run will have.
            """)

    @Option(help: "The run's YAML file.")
    var config: String

    @Option(name: .customLong("set"), help: "Set one key, as in 'rankwise train'; may be given many times.")
    var overrides: [String] = []

    @Option(help: "Processes of the run.")
    var processes: Int

    @Option(name: [.long, .customLong("nodes")], help: "Hosts that they are dealt to.")
    var hosts = 1

    @Option(help: "Bandwidth of a host's network, in gigabits a second.")
    var gigabits = 10.0

    @Option(help: "Time of a message between hosts, in microseconds.")
    var microseconds = 30.0

    @Option(help: "Steps to compute.")
    var steps = 5

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard processes > 0, hosts > 0, hosts <= processes, steps > 0, gigabits > 0, microseconds >= 0 else {
            throw ValidationError(
                "expected --processes from 1, --hosts from 1 to the processes, --steps from 1, --gigabits above 0")
        }
    }

    func run() throws {
        try reportingErrors {
            let configuration = try TrainingConfiguration.load(path: config, overrides: overrides).withTargetModules
            guard processes <= configuration.gradientLanes else {
                throw TrainingError(
                    .usage,
                    "--processes is \(processes), gradient_lanes \(configuration.gradientLanes); at most one process for "
                        + "each lane: --set gradient_lanes=\(processes)")
            }
            try ProcessThreads.use(configuration.threads, processesOfMachine: (processes + hosts - 1) / hosts)
            // What is trained in full is each process's own.
            let folder = configuration.method == .full ? nil : configuration.modelFolder
            let files = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
            let modelBytes = files.filter { $0.hasSuffix(".safetensors") }.reduce(0) { sum, name in
                let attributes = try? FileManager.default.attributesOfItem(atPath: configuration.model + "/" + name)
                return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
            }
            let forecast = try RunForecast.make(
                configuration, processes: processes, hosts: hosts,
                network: .init(gigabits: gigabits, microseconds: microseconds), steps: steps, modelBytes: modelBytes)
            try printLine(json ? jsonText(forecast) : text(forecast, configuration))
        }
    }

    private func text(_ forecast: RunForecast, _ configuration: TrainingConfiguration) -> String {
        func milliseconds(_ value: Double) -> String { String(format: "%.1f ms", value * 1e3) }
        func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
        let total = forecast.stepSeconds * Double(configuration.totalSteps)
        let unit = [.sequenceClassification, .regression].contains(configuration.task) ? "tokens" : "samples"
        return """
            \(processes) process\(processes == 1 ? "" : "es") on \(hosts) host\(hosts == 1 ? "" : "s"), \(forecast.tokens) \(unit) of the heaviest
            step          \(milliseconds(forecast.stepSeconds)): passes \(milliseconds(forecast.localSeconds)), update \(milliseconds(forecast.updateSeconds)), exchanges \(milliseconds(forecast.exchangeSeconds))
            samples/s     \(String(format: "%.1f", Double(configuration.batchSize) / forecast.stepSeconds)), \(configuration.totalSteps) steps in \(String(format: "%.0f", total)) s
            memory        \(megabytes(forecast.ownMemory)) of each process\(forecast.sharedMemory > 0 ? ", and \(megabytes(forecast.sharedMemory)) of weights on each host" : "")
            sent          \(forecast.traffic.reduction) bytes of gradients and \(forecast.traffic.sharing) of parameters by a process in a step; \(forecast.traffic.decision) of scores in a masking step
            checkpoint    \(megabytes(forecast.checkpointBytes))
            """
    }
}
