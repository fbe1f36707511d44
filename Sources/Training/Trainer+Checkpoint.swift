import AdaLoRA
import Checkpointing
import Diagnostics
import Foundation
import LinearAlgebra
import MessagePassing
import NeuralNetwork
import Safetensors

extension Trainer {
    /// Starts a checkpoint of the state after the steps that are done. Collective.
    func beginCheckpoint(
        _ writer: CheckpointWriter, digests: RunDigests, origin: CheckpointManifest.Origin,
        _ communicator: borrowing Communicator
    ) throws {
        let manifest = CheckpointManifest(
            step: step, seed: configuration.seed, gradientLanes: configuration.gradientLanes,
            configuration: configuration.resolvedYAML,
            configurationDigest: FileDigest.hexadecimal(of: Data(configuration.digestText.utf8)),
            modelDigest: digests.model, dataDigest: digests.data, initialAdapterDigest: digests.initialAdapter,
            origin: origin, dataPosition: step * configuration.batchSize, skippedSteps: skippedSteps,
            skippedInARow: skippedInARow, mask: mask, rowCount: network.layout.rowCount,
            elementCount: network.layout.elementCount, shards: [])
        try writer.begin(
            manifest, rows: shard.rows, elements: shard.state.elements, arrays: arrays,
            communicator)
    }

    /// Takes up the state of a checkpoint, whatever the number of processes that wrote it.
    ///
    /// Collective.
    func restore(
        _ manifest: CheckpointManifest, folder: String, _ communicator: borrowing Communicator
    ) throws {
        if configuration.adapter.compactsFinalPhase, let schedule, manifest.step > schedule.lastDecision,
            manifest.keptTriplets.count == mask.count, !isCompact
        {
            try removeTriplets(keeping: manifest.keptTriplets, communicator)
        }
        guard manifest.elementCount == network.layout.elementCount, manifest.rowCount == network.layout.rowCount,
            manifest.keptTriplets.count == mask.count
        else {
            throw TrainingError(
                .badData,
                "\(folder): \(manifest.rowCount) rows of \(manifest.elementCount) elements, expected "
                    + "\(network.layout.rowCount) and \(network.layout.elementCount); it belongs to another model or adapter"
            )
        }
        guard (0...configuration.totalSteps).contains(manifest.step), manifest.skippedSteps <= manifest.step,
            manifest.skippedInARow <= manifest.skippedSteps,
            manifest.dataPosition == manifest.step * configuration.batchSize
        else {
            throw TrainingError(
                .badData,
                "\(folder): step \(manifest.step) after \(manifest.dataPosition) samples, \(manifest.skippedSteps) steps "
                    + "skipped; expected at most \(configuration.totalSteps) steps of \(configuration.batchSize)")
        }
        try CheckpointShard.read(
            Self.parameterArray, elements: 0..<network.layout.elementCount, folder: folder, manifest: manifest,
            into: network.parameters.pointer)
        for quantity in shard.state.quantities {
            try CheckpointShard.read(
                quantity.rawValue, elements: shard.state.elements, folder: folder, manifest: manifest,
                into: shard.state[quantity])
        }
        mask = manifest.keptTriplets
        step = manifest.step
        skippedSteps = manifest.skippedSteps
        skippedInARow = manifest.skippedInARow
    }

    private static let parameterArray = "parameters"

    /// The owned part of everything that a checkpoint keeps.
    private var arrays: [(name: String, values: UnsafePointer<Float>)] {
        [(Self.parameterArray, UnsafePointer(network.parameters.pointer + shard.state.elements.lowerBound))]
            + shard.state.quantities.map { ($0.rawValue, UnsafePointer(shard.state[$0])) }
    }
}
