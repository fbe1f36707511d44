import Checkpointing
import Diagnostics
import Foundation

/// What process 0 does for all: the run folder with its lock, the log of metrics, progress, and the commits of checkpoints.
final class Coordinator {
    let folder: RunFolder
    let checkpoints: CheckpointStore
    private let lock: RunFolder.Lock
    private let start: RunStart
    /// Names this job and no other.
    var token: String { lock.token }
    private var damaged: [CheckpointStore.Entry] = []
    private var log: MetricsLog?
    private var progress: ProgressLine?

    /// Takes the run folder for this job, once it is clear that the run may write there. Nothing in it is changed yet.
    ///
    /// - Parameters:
    ///   - configuration: of the run.
    ///   - path: of the configuration's file.
    ///   - start: what to do with what an earlier run left there.
    init(_ configuration: TrainingConfiguration, start: RunStart) throws {
        folder = RunFolder(path: configuration.output)
        checkpoints = CheckpointStore(runFolder: folder.path)
        let result = configuration.leavesAdapter ? folder.adapterPath : folder.modelPath
        let name = (result as NSString).lastPathComponent
        try folder.checkIsFree(for: configuration.inputPaths, result: name, start: start)
        if start == .resume { try configuration.checkContinues(checkpoints) }
        try folder.create()
        lock = try RunFolder.Lock(folder)
        self.start = start
        // Another job may have come in between.
        try folder.checkIsFree(for: configuration.inputPaths, result: name, start: start)
    }

    /// The newest valid checkpoint; nil if no checkpoint was ever committed.
    ///
    /// - Throws: ``TrainingError`` if there are checkpoints and none is valid; nothing is deleted.
    func newestCheckpoint() throws -> (entry: CheckpointStore.Entry, manifest: CheckpointManifest)? {
        let newest = checkpoints.newestValid { entry, error in
            tellUser("skipping a damaged checkpoint: \(error)")
            damaged.append(entry)
        }
        if let newest { return newest }
        guard checkpoints.entries().isEmpty else {
            throw TrainingError(
                .badData,
                "\(checkpoints.folder): no checkpoint is valid; nothing was deleted; set output to another folder, or have --overwrite delete the run and start over"
            )
        }
        return nil
    }

    /// Opens the log at the first step that will be done, and removes an earlier run that is to be replaced: not before all
    /// that the new one needs is read and found good.
    func begin(atStep step: Int, configuration: TrainingConfiguration, tripletCount: Int) throws {
        if start == .overwrite { try folder.clear() }
        try folder.removeSummary()
        folder.removeLeftovers()
        for entry in damaged { tellUser("kept the damaged checkpoint as \(try checkpoints.setAside(entry))") }
        try folder.truncateMetrics(toStep: step)
        try folder.write(Data(configuration.storedText.utf8), to: folder.configurationPath)
        log = try MetricsLog(path: folder.metricsPath)
        progress = ProgressLine(
            totalSteps: configuration.totalSteps, totalTriplets: tripletCount, batchSize: configuration.batchSize,
            interval: configuration.progressInterval)
    }

    func record(_ report: StepReport, validation: Metrics?) {
        log?.append(report, validation: validation)
        progress?.show(report)
        if let skipped = report.skipped { tellUser("step \(report.step) was skipped: \(skipped.description)") }
    }

    /// Brings the metrics so far to the disk.
    func synchronizeLog() { log?.synchronize() }

    /// Ends progress and metrics.
    func finishSteps() throws(TrainingError) {
        progress?.finish()
        try log?.finish()
    }
}

/// What to do with an output folder that holds an earlier run.
public enum RunStart: Sendable {
    /// Refuse.
    case new
    /// Continue from its newest valid checkpoint.
    case resume
    /// Remove it and start over.
    case overwrite
}
