import Diagnostics
import LinearAlgebra
public import MessagePassing
import Models
import NeuralNetwork
import Text

extension TrainingConfiguration {
    /// The configuration that process 0 reads and all processes use. Collective.
    ///
    /// - Throws: `ConfigurationError`; ``TrainingError`` if there are more processes than lanes.
    public static func broadcasted(
        path: String, overrides: [String], _ communicator: borrowing Communicator
    ) throws -> TrainingConfiguration {
        var text = ""
        if communicator.processIndex == 0 {
            text = try load(path: path, overrides: overrides).withTargetModules.resolvedYAML
        }
        let configuration = try TrainingConfiguration(
            resolvedYAML: try communicator.broadcasted(text, from: 0), path: path)
        guard communicator.processCount <= configuration.gradientLanes else {
            throw TrainingError(
                .usage,
                "\(communicator.processCount) processes for \(configuration.gradientLanes) gradient lanes, expected at "
                    + "most one process for each lane; start fewer, or raise gradient_lanes (which changes the result's last bits)"
            )
        }
        return configuration
    }
}

extension TrainingConfiguration {
    /// The same with the modules of the model's family where none are named, so that what a run adapts stands in its
    /// checkpoints.
    package var withTargetModules: TrainingConfiguration {
        guard adapter.targetModules == nil, let folder = modelFolder else { return self }
        // What is wrong with the folder is told when it is read.
        guard let names = try? ModelFolder.targetModules(path: folder) else { return self }
        var configuration = self
        configuration.adapter.targetModules = .list(names)
        return configuration
    }
}

extension TrainingRun {
    /// What `--dry-run` shows: the resolved configuration, shapes, triplets, shards and bytes.
    public static func summary(_ configuration: TrainingConfiguration, processCount: Int) throws -> String {
        let plan = try prepare(configuration)
        let remarks = plan.remarks + (try plan.checkSplits())
        return ([plan.summary(processCount: processCount)] + remarks.map { "# note: \($0)" }).joined(separator: "\n")
    }
}

extension RunPlan {
    var notices: [String] {
        guard configuration.adapter.initialAdapter == nil else { return [] }
        var layers: [String] = []
        for entry in model.encoder.missing where layers.last != entry.module { layers.append(entry.module) }
        return layers.map {
            "\(configuration.model) has no '\($0)'; a new one is drawn from the seed, trained in full and saved with the "
                + "result"
        }
    }

    var subjectLines: [String] {
        [
            "# training samples: \(training.count), longest \((0..<training.count).map(training.tokenCount).max() ?? 0) tokens",
            "# outputs: \(labels.map { "classes " + $0.names.joined(separator: ", ") } ?? "one number")",
        ] + notices.map { "# " + $0 }
    }
}

extension PreparedRun {
    fileprivate func summary(processCount: Int) -> String {
        let partition = ParameterPartition(layout: network.layout, processCount: processCount)
        let tree = LaneTree(laneCount: configuration.gradientLanes)
        var lines = [configuration.resolvedYAML, "# modules"]
        for block in network.tripletBlocks {
            lines.append(
                "#   \(block.name): \(block.rows.count) triplets of \(block.outputs ?? 0) + 1 + \(block.inputs ?? 0)")
        }
        for block in network.layout.blocks where !block.isTriplets {
            lines.append("#   \(block.name): \(block.rows.count) × \(block.rowWidth), trained in full")
        }
        if network.tripletCount > 0 {
            let target =
                configuration.adapter.targetTotal ?? network.tripletBlocks.count * configuration.adapter.targetRank
            let stay = configuration.method == .adalora ? target : network.tripletCount
            lines.append("# triplets: \(network.tripletCount) in \(network.tripletBlocks.count) modules, \(stay) stay")
        }
        let arrays = OwnedState.quantities(of: network.layout).count
        lines.append("# trained parameters: \(network.layout.elementCount) in \(network.layout.rowCount) rows")
        lines += subjectLines
        lines += [
            "# BLAS kernels: \(BLASLibrary.kernelType)",
            "# processes: \(processCount)",
        ]
        for process in 0..<processCount {
            let (rows, elements) = (partition.rows[process], partition.elements[process])
            let lanes = tree.lanes(ofProcess: process, of: processCount)
            let nodes = tree.nodes(covering: lanes).count
            // Replica of the parameters, the shard's moments, Ī and Ū, the gradients of the lanes.
            let bytes = 4 * (network.layout.elementCount * (1 + nodes) + arrays * elements.count)
            lines.append(
                "#   process \(process): lanes \(lanes.lowerBound)..<\(lanes.upperBound), rows \(rows.lowerBound)..<"
                    + "\(rows.upperBound), \(elements.count) elements, \(bytes) bytes of trained state")
        }
        lines.append(
            "# checkpoint: \(4 * (1 + arrays) * network.layout.elementCount) bytes, every \(configuration.checkpoint.interval) steps"
        )
        return lines.joined(separator: "\n")
    }
}
