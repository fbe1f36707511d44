import Checkpointing
import Foundation
public import MessagePassing

/// A training run from its configuration to its adapter, across the processes of a job.
public enum TrainingRun {
    /// Trains. Collective: every process of the job calls it with the same arguments.
    ///
    /// - Parameters:
    ///   - plan: the same on every process.
    ///   - start: what to do with what the output folder holds.
    /// - Throws: errors of every module that it uses.
    public static func train(_ plan: RunPlan, start: RunStart, _ communicator: borrowing Communicator) throws {
        let configuration = plan.configuration
        let folder = RunFolder(path: configuration.output)
        let isCoordinator = communicator.processIndex == 0
        let coordinator = isCoordinator ? try Coordinator(folder: folder, start: start) : nil
        let trainer = try Trainer(
            configuration: configuration, model: plan.model, data: plan.training, communicator)
        // The coordinator alone reads the large files and chooses where to start; the others follow.
        let digests = try communicator.broadcasted(from: coordinator) { _ in try plan.digests() }
        let resumed =
            start == .resume
            ? try communicator.broadcasted(from: coordinator) { try ResumePoint($0, plan, digests) } : ResumePoint.none
        if resumed.isComplete {
            if isCoordinator { Coordinator.say("\(folder.path) is complete; nothing is left to do") }
            return
        }
        if let path = resumed.path, let manifest = resumed.manifest {
            try trainer.restore(manifest, folder: path)
            if isCoordinator { Coordinator.say("resuming from step \(manifest.step) (\(path))") }
        }
        try coordinator?.begin(
            atStep: trainer.step, configuration: configuration, tripletCount: plan.model.tripletCount)
        try loop(plan, trainer, coordinator, digests, communicator)
        try finish(plan, trainer, coordinator, digests, communicator)
    }

    private static func loop(
        _ plan: RunPlan, _ trainer: Trainer, _ coordinator: Coordinator?, _ digests: RunDigests,
        _ communicator: borrowing Communicator
    ) throws {
        let configuration = plan.configuration
        let store = CheckpointStore(runFolder: configuration.output)
        let validation = try configuration.evaluationInterval.flatMap { _ in
            try configuration.data.validation.map { try plan.samples(path: $0) }
        }
        while trainer.step < configuration.totalSteps {
            let report = try trainer.takeStep(communicator)
            var metrics: Metrics?
            if let validation, let interval = configuration.evaluationInterval, trainer.step % interval == 0 {
                metrics = try Evaluation(model: plan.model).metrics(of: validation, communicator)
            }
            try coordinator?.record(report, validation: metrics)
            if trainer.step % configuration.checkpoint.interval == 0, trainer.step < configuration.totalSteps {
                try trainer.saveCheckpoint(store, digests: digests, communicator)
            }
        }
        coordinator?.finishProgress()
    }

    /// Evaluates, and leaves adapter and summary.
    private static func finish(
        _ plan: RunPlan, _ trainer: Trainer, _ coordinator: Coordinator?, _ digests: RunDigests,
        _ communicator: borrowing Communicator
    ) throws {
        let configuration = plan.configuration
        var metrics: [(split: String, metrics: Metrics)] = []
        for (split, path) in [("validation", configuration.data.validation), ("test", configuration.data.test)] {
            guard let path else { continue }
            let samples = try plan.samples(path: path)
            metrics.append((split, try Evaluation(model: plan.model).metrics(of: samples, communicator)))
        }
        // A run that is killed while it writes its last files finds its last state here.
        try trainer.saveCheckpoint(
            CheckpointStore(runFolder: configuration.output), digests: digests, communicator)
        if let coordinator {
            try coordinator.folder.writeAdapter(trainer.adapter(), task: plan.taskDescription(digests))
            try coordinator.folder.writeSummary(trainer, metrics: metrics)
            for (split, metrics) in metrics { Coordinator.say("\(split): \(metrics.line)") }
            Coordinator.say("adapter: \(coordinator.folder.adapterPath)")
        }
        try communicator.barrier()
    }
}

extension Metrics {
    /// For people.
    var line: String {
        named.map { "\($0.name) \(ProgressLine.fixed($0.value, 4))" }.joined(separator: "  ") + "  (\(count) samples)"
    }
}
