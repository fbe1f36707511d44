import LinearAlgebra
package import MessagePassing
import NeuralNetwork

/// Times what a step sends, alone, and counts its bytes.
package struct CommunicationBenchmark: Codable, Sendable {
    package let processes: Int
    package let elements: Int
    package let exchanges: [Exchange]

    package struct Exchange: Codable, Sendable {
        package let name: String
        /// The routine of MPI.
        package let routine: String
        /// That a process sends to the others, the most of all processes.
        package let bytes: Int
        /// Median, of the slowest process.
        package let seconds: Double
    }

    /// Collective.
    package static func run(
        _ configuration: TrainingConfiguration, rounds: Int, _ communicator: borrowing Communicator
    ) throws -> CommunicationBenchmark {
        let model = try TrainingRun.prepare(configuration, storage: try NodeWeights(communicator)).network
        let (index, count) = (communicator.processIndex, communicator.processCount)
        let partition = ParameterPartition(layout: model.layout, processCount: count)
        let tree = LaneTree(laneCount: configuration.gradientLanes)
        let lanes = tree.lanes(ofProcess: index, of: count)
        let gradients = LaneGradients(tree: tree, lanes: lanes, layout: model.layout)
        let reduction = try GradientReduction(tree: tree, partition: partition, processIndex: index)
        let scores = [Float](repeating: 1, count: partition.rows[index].clamped(to: 0..<model.tripletCount).count)

        var exchanges: [Exchange] = []
        func measure(
            _ name: String, _ routine: String, bytes: Int, _ communicator: borrowing Communicator,
            _ exchange: (borrowing Communicator) throws -> Void
        ) throws {
            var times: [Double] = []
            for _ in 0..<rounds {
                try communicator.barrier()
                let time = try seconds { try exchange(communicator) }
                times.append(try communicator.allGathered([time]).max() ?? 0)
            }
            let most = try communicator.allGathered([Int64(bytes)]).max() ?? 0
            exchanges.append(Exchange(name: name, routine: routine, bytes: Int(most), seconds: times.median))
        }
        let traffic = StepTraffic(
            layout: model.layout, partition: partition, tree: tree, process: index, tripletCount: model.tripletCount)
        try measure("reduction", "MPI_Alltoallv", bytes: traffic.reduction, communicator) {
            _ = try reduction.reduce(gradients, $0)
        }
        try measure("sharing", "MPI_Allgatherv", bytes: traffic.sharing, communicator) {
            try $0.allGatherInPlace(
                UnsafeMutableBufferPointer(start: model.parameters.pointer, count: model.layout.elementCount),
                counts: partition.elements.map(\.count))
        }
        try measure("decision", "MPI_Allgatherv", bytes: traffic.decision, communicator) {
            _ = try $0.allGathered(varying: scores)
        }
        return CommunicationBenchmark(processes: count, elements: model.layout.elementCount, exchanges: exchanges)
    }
}
