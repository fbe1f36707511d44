import Checkpointing
import Diagnostics
import Foundation
import MessagePassing

/// Where a run goes on: chosen by the coordinator alone, and told to the other processes.
struct ResumePoint: Codable {
    /// Folder and manifest of the checkpoint; nil starts at step 0.
    let path: String?
    let manifest: CheckpointManifest?
    /// Whether nothing is left to do.
    let isComplete: Bool

    static let none = ResumePoint(path: nil, manifest: nil, isComplete: false)

    private init(path: String?, manifest: CheckpointManifest?, isComplete: Bool) {
        self.path = path
        self.manifest = manifest
        self.isComplete = isComplete
    }

    /// The newest valid checkpoint, if it belongs to this run.
    ///
    /// - Throws: ``TrainingError`` naming each key, or the file, that differs.
    init(
        _ coordinator: Coordinator, _ plan: any PreparedRun, _ digests: RunDigests, _ origin: CheckpointManifest.Origin,
        anyProcessor: Bool
    ) throws {
        guard let newest = try coordinator.newestCheckpoint() else {
            tellUser("\(coordinator.folder.path) holds no checkpoint; starting from step 0")
            self = .none
            return
        }
        let path = newest.entry.path
        try plan.configuration.checkContinues(newest.manifest, of: path)
        for (what, found, expected) in [
            ("the model \(plan.configuration.modelFolder ?? "")", digests.model, newest.manifest.modelDigest),
            ("the training data \(plan.configuration.data.train)", digests.data, newest.manifest.dataDigest),
            ("the adapter of adapter.init", digests.initialAdapter, newest.manifest.initialAdapterDigest),
        ] where found != expected {
            throw TrainingError(
                .usage,
                "\(path): \(what) differs from the one that the run started with (SHA-256 \(found.prefix(12))…, "
                    + "was \(expected.prefix(12))…); restore it, or set output to another folder")
        }
        let former = newest.manifest.origin
        if plan.configuration.dependsOnProcessorType, origin.kernelType != former.kernelType {
            guard anyProcessor else {
                throw TrainingError(
                    .usage,
                    "\(path): written with BLAS kernels for \(former.kernelType), this processor gets those for "
                        + "\(origin.kernelType), with which the last bits of the result differ; resume on the same type of "
                        + "processor, or give --any-processor")
            }
            tellUser(
                "BLAS kernels for \(origin.kernelType), were \(former.kernelType): the last bits will differ")
        }
        if origin.program != former.program {
            tellUser("another build of this program than the one that wrote \(path); the last bits may differ")
        }
        self.init(
            path: path, manifest: newest.manifest,
            isComplete: coordinator.folder.isComplete && newest.manifest.step >= plan.configuration.totalSteps)
    }
}

extension TrainingConfiguration {
    /// Checks, without changing anything, that this run may go on from the newest checkpoint that can be read.
    func checkContinues(_ checkpoints: CheckpointStore) throws {
        for entry in checkpoints.entries().reversed() {
            let path = entry.path + "/" + CheckpointManifest.fileName
            guard let contents = FileManager.default.contents(atPath: path),
                let manifest = try? CheckpointManifest(contents: contents, path: path)
            else { continue }
            return try checkContinues(manifest, of: entry.path)
        }
    }

    /// Checks that no key differs from a checkpoint's that must not.
    ///
    /// - Throws: ``TrainingError`` (`usage`) naming each key that differs, and what to do.
    fileprivate func checkContinues(_ manifest: CheckpointManifest, of path: String) throws {
        let stored = try TrainingConfiguration(
            resolvedYAML: manifest.configuration, path: "\(path)/\(CheckpointManifest.fileName)")
        let differences = differences(from: stored)
        guard !differences.isEmpty else { return }
        let list = differences.map { "\($0.key) is \($0.here), was \($0.there)" }.joined(separator: "; ")
        let folder = RunFolder(path: output)
        let goesOn =
            folder.isComplete && leavesAdapter
            ? "set them back; to train a finished adapter on, start a new run: --set adapter.init=\(folder.adapterPath) "
                + "--set output=NEW" : "set them back, or set output to another folder"
        throw TrainingError(
            .usage, "\(path): the configuration differs from the checkpoint's: \(list); \(goesOn)")
    }
}

extension Communicator {
    /// A value that process 0 makes and every process gets.
    ///
    /// - Parameters:
    ///   - coordinator: nil on all processes but 0.
    func broadcasted<Value: Codable>(
        from coordinator: Coordinator?, _ make: (Coordinator) throws -> Value
    ) throws -> Value {
        let encoded = try coordinator.map { try JSONEncoder().encode([make($0)]) } ?? Data()
        guard let value = try JSONDecoder().decode([Value].self, from: try broadcasted(encoded, from: 0)).first else {
            throw TrainingError(.computation, "process 0 broadcast nothing")
        }
        return value
    }
}
