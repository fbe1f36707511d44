import Checkpointing
import Diagnostics
import Foundation
import LinearAlgebra
import MessagePassing
import NeuralNetwork

/// What a run is made of besides its configuration; a checkpoint of other contents must not be resumed.
public struct RunDigests: Codable, Sendable, Equatable {
    /// SHA-256 of the model's weights and of the training file.
    public let model: String
    public let data: String
}

extension Trainer {
    /// Writes the state after the steps that are done: every process its shard, then, if all succeeded, process 0 the
    /// manifest.
    func saveCheckpoint(
        _ store: CheckpointStore, digests: RunDigests, _ communicator: borrowing Communicator
    ) throws {
        let processIndex = communicator.processIndex
        if processIndex == 0 { _ = try store.begin(step: step) }
        try communicator.barrier()
        let shard = try CheckpointShard.write(
            folder: store.partialPath(step), index: processIndex, rows: partition.rows[processIndex],
            elements: state.elements, arrays: arrays)
        let encoded = try JSONEncoder().encode(shard)
        let gathered = try communicator.allGathered(varying: [UInt8](encoded))
        guard processIndex == 0 else { return }
        let shards = try (0..<communicator.processCount).map { process in
            let part = gathered.elements[gathered.layout.range(of: process)]
            return try JSONDecoder().decode(CheckpointManifest.Shard.self, from: Data(part))
        }
        try store.commit(
            CheckpointManifest(
                step: step, seed: configuration.seed, gradientLanes: configuration.gradientLanes,
                configuration: configuration.resolvedYAML,
                configurationDigest: FileDigest.hexadecimal(of: Data(configuration.digestText.utf8)),
                modelDigest: digests.model, dataDigest: digests.data,
                dataPosition: step * configuration.batchSize, mask: mask, rowCount: model.layout.rowCount,
                elementCount: model.layout.elementCount, shards: shards))
        try store.prune(keep: configuration.checkpoint.kept)
    }

    /// Takes up the state of a checkpoint, whatever the number of processes that wrote it.
    func restore(_ manifest: CheckpointManifest, folder: String) throws {
        guard manifest.elementCount == model.layout.elementCount, manifest.rowCount == model.layout.rowCount,
            manifest.keptTriplets.count == model.tripletCount
        else {
            throw TrainingError(
                .badData,
                "\(folder): \(manifest.rowCount) rows of \(manifest.elementCount) elements, expected "
                    + "\(model.layout.rowCount) and \(model.layout.elementCount); it belongs to another model or adapter"
            )
        }
        try CheckpointShard.read(
            Self.parameterArray, elements: 0..<model.layout.elementCount, folder: folder, manifest: manifest,
            into: model.parameters.pointer)
        for quantity in OwnedState.Quantity.allCases {
            try CheckpointShard.read(
                quantity.rawValue, elements: state.elements, folder: folder, manifest: manifest,
                into: state[quantity])
        }
        mask = manifest.keptTriplets
        step = manifest.step
    }

    private static let parameterArray = "parameters"

    /// The owned part of everything that a checkpoint keeps.
    private var arrays: [(name: String, values: UnsafePointer<Float>)] {
        [(Self.parameterArray, UnsafePointer(model.parameters.pointer + state.elements.lowerBound))]
            + OwnedState.Quantity.allCases.map { ($0.rawValue, UnsafePointer(state[$0])) }
    }
}
