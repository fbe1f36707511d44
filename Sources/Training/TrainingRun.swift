import Checkpointing
import Diagnostics
import Foundation
public import MessagePassing
import Models
import PEFTFormat

/// A training run from its configuration to what it leaves, across the processes of a job.
public enum TrainingRun {
    /// How a run ended.
    public enum Ending: Sendable {
        case finished
        /// Asked to stop, with a checkpoint to go on from.
        case stopped
    }

    /// Trains. Collective: every process of the job calls it with the same arguments.
    ///
    /// - Parameters:
    ///   - configuration: the same on every process.
    ///   - start: what to do with what the output folder holds.
    ///   - anyProcessor: whether a resume may change to another processor type, and so to other last bits.
    /// - Throws: errors of every module that it uses.
    public static func train(
        _ configuration: TrainingConfiguration, start: RunStart, anyProcessor: Bool,
        _ communicator: borrowing Communicator
    ) throws -> Ending {
        try ProcessorCheck.require()
        let isCoordinator = communicator.processIndex == 0
        // Before anything is read, which may take long, and before any process writes to the folder.
        let coordinator = isCoordinator ? try Coordinator(configuration, start: start) : nil
        let token = try communicator.broadcasted(from: coordinator) { $0.token }
        let folder = RunFolder(path: configuration.output)
        try folder.checkIsShared(token: token, process: communicator.processIndex, host: communicator.hostName())
        let watch = StepWatch(
            timeout: configuration.stepTimeout, processIndex: communicator.processIndex,
            processCount: communicator.processCount, host: try communicator.hostName(), runFolder: folder)
        defer { watch.enter(.end, step: configuration.totalSteps) }
        try ProcessThreads.use(configuration.threads, communicator)
        let storage = try NodeWeights(communicator)
        let reading = ReadingProgress(tells: isCoordinator)
        let plan = try prepare(
            configuration, storage: storage,
            sharing: { rowCount, part in try communicator.shareTokenizing(of: rowCount, part) },
            progressed: { done in
                watch.progressed()
                reading.show(done)
            })
        let remarks = plan.remarks + (try plan.checkSplits())
        if isCoordinator { remarks.forEach(tellUser) }
        let fingerprint = try plan.agreedFingerprint(communicator)
        let inputs = try InputWatch(plan.inputs, digests: fingerprint.digests.files, tells: isCoordinator)
        watch.progressed()
        StopRequest.listen()
        let singularVectors = try SingularVectorStart.ofRun(
            configuration, on: plan.adapterHost, storage: storage, communicator
        ) { watch.progressed() }
        let trainer = try Trainer(
            configuration: configuration, network: plan.network, communicator)
        // The coordinator alone chooses where to start; the others follow.
        let resumed =
            start == .resume
            ? try communicator.broadcasted(from: coordinator) {
                try ResumePoint($0, plan, fingerprint.digests, fingerprint.origin, anyProcessor: anyProcessor)
            } : ResumePoint.none
        if resumed.isComplete {
            if isCoordinator { tellUser("\(folder.path) is complete; nothing is left to do") }
            return .finished
        }
        watch.progressed()
        if let path = resumed.path, let manifest = resumed.manifest {
            try trainer.restore(manifest, folder: path, communicator)
            if isCoordinator { tellUser("resuming from step \(manifest.step) (\(path))") }
            // Nothing in the run's folder may move before all have read it.
            try communicator.barrier()
        }
        if isCoordinator, resumed.path == nil {
            try plan.tellIfInitialAdapterHasAnotherBase(fingerprint.digests)
            plan.notices.forEach(tellUser)
        }
        try coordinator?.begin(
            atStep: trainer.step, configuration: configuration, tripletCount: plan.network.tripletCount)
        let run = RunInProgress(
            plan: plan, singularVectors: singularVectors, trainer: trainer, coordinator: coordinator,
            fingerprint: fingerprint, inputs: inputs, watch: watch,
            writer: CheckpointWriter(
                store: CheckpointStore(runFolder: configuration.output, token: token),
                kept: configuration.checkpoint.kept),
            firstStep: trainer.step)
        let ending = try run.steps(communicator)
        return ending == .finished ? try run.finish(communicator) : ending
    }
}

extension TrainingRun {
    /// Reads everything that a run needs before its first step.
    ///
    /// - Parameters:
    ///   - storage: for weights that have to be converted.
    ///   - sharing: deals texts that are to be tokenised to processes.
    ///   - progressed: called now and then, with the number of samples that are tokenised.
    static func prepare(
        _ configuration: TrainingConfiguration, storage: any ConvertedWeights = PrivateWeights(),
        sharing: TrainingSamples.Sharing = { rowCount, part in try part(0..<rowCount) },
        progressed: @escaping (_ done: Int) -> Void = { _ in }
    ) throws -> any PreparedRun {
        switch configuration.task {
        case .sequenceClassification, .regression:
            try RunPlan(configuration, storage: storage, sharing: sharing, progressed: progressed)
        case .imageClassification: try ImageRunPlan(configuration, storage: storage)
        case .superposition: SuperpositionRun(configuration)
        }
    }
}

/// A run between its start and its end, on one process.
private struct RunInProgress {
    let plan: any PreparedRun
    /// Where the adapters started as a part of the weights.
    let singularVectors: SingularVectorStart?
    let trainer: Trainer
    /// On process 0.
    let coordinator: Coordinator?
    let fingerprint: Fingerprint
    let inputs: InputWatch
    let watch: StepWatch
    let writer: CheckpointWriter
    /// Where this job took up the run.
    let firstStep: Int

    private var configuration: TrainingConfiguration { plan.configuration }

    /// Takes steps until all are done, or the run is asked to stop.
    func steps(_ communicator: borrowing Communicator) throws -> TrainingRun.Ending {
        let validation = try configuration.evaluationInterval.flatMap { _ in try split(.validation) }
        while trainer.step < configuration.totalSteps {
            let report = try trainer.takeStep(watch: watch, checkpoint: writer.progress, communicator)
            if report.checkpointIsWritten { try settle(communicator) }
            var metrics: Metrics?
            if let validation, let interval = configuration.evaluationInterval, trainer.step % interval == 0 {
                metrics = try evaluate(validation, communicator)
            }
            coordinator?.record(report, validation: metrics)
            if trainer.skippedInARow >= configuration.maximumSkippedSteps {
                try checkpointAndWait(communicator)
                // The same would happen again, so this is none of the failures that a restart mends.
                throw TrainingError(
                    .badData,
                    "step \(report.step): \(report.skipped?.description ?? ""), in \(trainer.skippedInARow) steps in a row; the last good state "
                        + "is in the newest checkpoint; "
                        + (BrokenWeights.sentence(
                            in: [configuration.model, configuration.adapter.initialAdapter].compactMap(\.self))
                            ?? "lower optimizer.lr or set optimizer.max_grad_norm in a new run"))
            }
            guard trainer.step < configuration.totalSteps else { break }
            if report.stops {
                try checkpointAndWait(communicator)
                try coordinator?.finishSteps()
                return stopped()
            }
            if trainer.step % configuration.checkpoint.interval == 0 {
                try beginCheckpoint(communicator)
            }
        }
        try coordinator?.finishSteps()
        return .finished
    }

    /// Leaves the adapter, evaluates, and leaves the summary, which marks the run as complete.
    func finish(_ communicator: borrowing Communicator) throws -> TrainingRun.Ending {
        // A run that is killed while it evaluates, or writes its last files, finds its last state here.
        if trainer.step > firstStep { try checkpointAndWait(communicator) }
        // Before the evaluation, so that no failure of that can keep the adapter from its user.
        let result = try writeResult(communicator)
        defer { result.map(tellUser) }
        var metrics: [(split: String, metrics: Metrics)] = []
        for kind in SplitKind.allCases {
            if try isAskedToStop(communicator) { return stopped() }
            guard let split = try split(kind) else { continue }
            metrics.append(
                (kind.rawValue, try evaluate(split, communicator).finite(kind.rawValue, weights: [configuration.model]))
            )
        }
        watch.enter(.checkpoint, step: trainer.step)
        if let coordinator {
            try coordinator.folder.writeSummary(
                trainer, checkpointStall: writer.longestStall, metrics: metrics)
            for (split, metrics) in metrics { tellUser("\(split): \(metrics.line)") }
        }
        watch.enter(.checkpoint, step: trainer.step)
        try communicator.barrier()
        return .finished
    }

    /// Leaves the adapter or the network.
    ///
    /// - Returns: where, for people; on process 0.
    private func writeResult(_ communicator: borrowing Communicator) throws -> String? {
        watch.enter(.checkpoint, step: trainer.step)
        try inputs.check()
        try communicator.barrier()
        return try coordinator.map {
            try plan.writeResult(
                of: trainer, startedWith: singularVectors, to: $0.folder, digests: fingerprint.digests)
        }
    }

    private func stopped() -> TrainingRun.Ending {
        if coordinator != nil {
            tellUser(
                "stopped on request after step \(trainer.step) of \(configuration.totalSteps); continue with --resume")
        }
        return .stopped
    }

    /// Whether any process was. Collective.
    private func isAskedToStop(_ communicator: borrowing Communicator) throws -> Bool {
        let own: Int32 = StopRequest.isPending ? 1 : 0
        return try communicator.allReduced(own, .maximum) == 1
    }

    private func split(_ kind: SplitKind) throws -> (any EvaluatedSplit)? {
        watch.enter(.evaluation, step: trainer.step)
        return try plan.split(kind) { watch.progressed() }
    }

    private func evaluate(_ split: any EvaluatedSplit, _ communicator: borrowing Communicator) throws -> Metrics {
        try split.metrics(progressed: { watch.enter(.evaluation, step: trainer.step) }, communicator)
    }

    private func beginCheckpoint(_ communicator: borrowing Communicator) throws {
        watch.enter(.checkpoint, step: trainer.step)
        try inputs.check()
        try trainer.beginCheckpoint(
            writer, digests: fingerprint.digests, origin: fingerprint.origin, communicator)
    }

    /// Has a checkpoint committed that is on the disk on all processes.
    private func settle(_ communicator: borrowing Communicator) throws {
        coordinator?.synchronizeLog()
        try writer.settle(communicator)
    }

    /// Writes a checkpoint of the state as it is, and waits for it.
    private func checkpointAndWait(_ communicator: borrowing Communicator) throws {
        try beginCheckpoint(communicator)
        coordinator?.synchronizeLog()
        guard try writer.finish(communicator) else {
            throw TrainingError(
                .inputOutput,
                "\(configuration.output): the last checkpoint of the run could not be written; free space there, then continue with --resume"
            )
        }
    }
}

extension Metrics {
    /// For people.
    var line: String {
        named.map { "\($0.name) \(ProgressLine.fixed($0.value, 4))" }.joined(separator: "  ") + "  (\(count) samples)"
    }
}
