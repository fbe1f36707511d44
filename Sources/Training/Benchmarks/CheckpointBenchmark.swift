import Checkpointing
import Diagnostics
import Foundation
package import MessagePassing
import Tokenization

/// Times a checkpoint by part.
package struct CheckpointBenchmark: Codable, Sendable {
    package let processes: Int
    package let bytes: Int
    /// Medians: what a step waits for; until it is committed; checking every byte of it; and taking up its state.
    package let stallSeconds: Double
    package let writeSeconds: Double
    package let verifySeconds: Double
    package let restoreSeconds: Double

    /// Writes checkpoints of a new run into a folder. Collective.
    ///
    /// - Parameter folder: empty, seen by all processes.
    package static func run(
        _ configuration: TrainingConfiguration, folder: String, rounds: Int, _ communicator: borrowing Communicator
    ) throws -> CheckpointBenchmark {
        let plan = try TrainingRun.prepare(configuration, storage: try NodeWeights(communicator))
        let trainer = try Trainer(configuration: configuration, network: plan.network, communicator)
        let store = CheckpointStore(runFolder: folder)
        let digests = RunDigests.none
        let origin = CheckpointManifest.Origin(kernelType: "", program: "")
        var (stalls, writes, verifies, restores) = ([Double](), [Double](), [Double](), [Double]())
        var bytes = 0
        for _ in 0..<rounds {
            let writer = CheckpointWriter(store: store, kept: 1)
            try communicator.barrier()
            writes.append(
                try seconds {
                    try trainer.beginCheckpoint(writer, digests: digests, origin: origin, communicator)
                    guard try writer.finish(communicator) else {
                        throw TrainingError(.inputOutput, "\(folder): the checkpoint could not be written")
                    }
                })
            stalls.append(writer.longestStall)
            try communicator.barrier()
            guard let entry = store.entries().last else { continue }
            var manifest: CheckpointManifest?
            verifies.append(try seconds { manifest = try store.verified(entry) })
            bytes = manifest?.byteCount ?? 0
            if let manifest {
                restores.append(try seconds { try trainer.restore(manifest, folder: entry.path, communicator) })
            }
            try communicator.barrier()
            if communicator.processIndex == 0 { try FileManager.default.removeItem(atPath: store.folder) }
            try communicator.barrier()
        }
        return CheckpointBenchmark(
            processes: communicator.processCount, bytes: bytes, stallSeconds: stalls.median,
            writeSeconds: writes.median, verifySeconds: verifies.median, restoreSeconds: restores.median)
    }
}

/// Times what a run reads before its first step.
package struct LoadBenchmark: Codable, Sendable {
    package let modelSeconds: Double
    package let tokenizerSeconds: Double
    /// Reading and tokenising the training file.
    package let dataSeconds: Double
    package let samples: Int

    package static func run(_ configuration: TrainingConfiguration) throws -> LoadBenchmark {
        var plan: RunPlan?
        let whole = try seconds { plan = try RunPlan(configuration) }
        let model = try seconds { _ = try RunPlan.encoder(configuration) }
        let tokenizer = try seconds { _ = try Tokenizer(modelDirectory: configuration.model) }
        return LoadBenchmark(
            modelSeconds: model, tokenizerSeconds: tokenizer, dataSeconds: max(0, whole - model - tokenizer),
            samples: plan?.training.count ?? 0)
    }
}
