import AdaLoRA
import LinearAlgebra
import NeuralNetwork
import Randomness

/// What a run would take on so many processes, told without them: the heaviest process's part of a few steps is computed here,
/// alone, and what it would send is counted.
package struct RunForecast: Codable, Sendable {
    package let processes: Int
    package let hosts: Int
    /// Tokens of the process that has the most, median of the steps tried.
    package let tokens: Int
    /// Seconds: forward and backward, measured; update, measured on all rows and divided by the processes; exchanges, by bytes,
    /// bandwidth and latency.
    package let localSeconds: Double
    package let updateSeconds: Double
    package let exchangeSeconds: Double
    package var stepSeconds: Double { localSeconds + updateSeconds + exchangeSeconds }
    /// Resident memory of a process that is its own, measured, and the size of the model's files, which are shared by those
    /// of one machine.
    package let ownMemory: Int
    package let sharedMemory: Int
    package let traffic: StepTraffic
    package let checkpointBytes: Int

    /// What connects the processes.
    package struct Network: Sendable {
        /// Bytes in a second and seconds of a message, between the processes of one host and between hosts.
        package let bandwidthWithin, latencyWithin, bandwidthBetween, latencyBetween: Double

        /// - Parameters:
        ///   - gigabits: of a host's network, in a second.
        ///   - microseconds: of a message between hosts.
        package init(gigabits: Double, microseconds: Double) {
            // Open MPI through shared memory copies twice; measured 2 to 4 GB/s and 1 µs on one machine.
            (bandwidthWithin, latencyWithin) = (2e9, 2e-6)
            (bandwidthBetween, latencyBetween) = (gigabits / 8 * 1e9, microseconds * 1e-6)
        }

        func seconds(_ bytes: Int, processes: Int, hosts: Int) -> Double {
            guard processes > 1 else { return 0 }
            let messages = Double(processes - 1)
            guard hosts > 1 else { return Double(bytes) / bandwidthWithin + messages * latencyWithin }
            // The processes of a host share its network; what goes to those of the same host does not use it.
            let perHost = (processes + hosts - 1) / hosts
            let between = Double(bytes) * Double(processes - perHost) / messages
            return between * Double(perHost) / bandwidthBetween + messages * latencyBetween
        }
    }

    /// - Parameters:
    ///   - steps: to compute.
    ///   - modelBytes: of the model's files.
    /// - Throws: what preparing the run throws.
    package static func make(
        _ configuration: TrainingConfiguration, processes: Int, hosts: Int, network: Network, steps: Int,
        modelBytes: Int
    ) throws -> RunForecast {
        let learner = try TrainingRun.prepare(configuration).network
        let layout = learner.layout
        let tree = LaneTree(laneCount: configuration.gradientLanes)
        let partition = ParameterPartition(layout: layout, processCount: processes)
        var order = learner.sampleOrder(configuration)
        var (times, tokens) = ([Double](), [Double]())
        for step in 0..<steps + 1 {
            let batch = order.indices(from: step * configuration.batchSize, count: configuration.batchSize)
            func tokenCount(_ process: Int) -> Int {
                tree.lanes(ofProcess: process, of: processes).reduce(0) { sum, lane in
                    sum + learner.tokenCount(of: Array(batch[tree.slots(ofLane: lane, batchSize: batch.count)]))
                }
            }
            let counts = (0..<processes).map(tokenCount)
            let heaviest = counts.indices.max { counts[$0] < counts[$1] } ?? 0
            let lanes = tree.lanes(ofProcess: heaviest, of: processes)
            let gradients = LaneGradients(tree: tree, lanes: lanes, layout: layout)
            let time = seconds {
                _ = learner.computeGradients(
                    samples: batch, lanes: lanes, tree: tree,
                    pass: .training(seed: UInt64(configuration.seed), step: step),
                    gradients: gradients)
            }
            // The first one allocates.
            guard step > 0 else { continue }
            times.append(time)
            tokens.append(Double(counts[heaviest]))
        }
        let traffic = (0..<processes).map {
            StepTraffic(
                layout: layout, partition: partition, tree: tree, process: $0, tripletCount: learner.tripletCount)
        }
        .max { $0.reduction + $0.sharing < $1.reduction + $1.sharing }
        let most =
            traffic
            ?? StepTraffic(
                layout: layout, partition: partition, tree: tree, process: 0, tripletCount: learner.tripletCount)
        let arrays = OwnedState.quantities(of: layout).count
        let state = 4 * arrays * (partition.elements.map(\.count).max() ?? 0)
        return RunForecast(
            processes: processes, hosts: hosts, tokens: Int(tokens.median), localSeconds: times.median,
            updateSeconds: updateSeconds(layout) / Double(processes),
            exchangeSeconds: network.seconds(most.reduction, processes: processes, hosts: hosts)
                + network.seconds(most.sharing, processes: processes, hosts: hosts),
            ownMemory: ProcessMemory().own + state, sharedMemory: modelBytes, traffic: most,
            checkpointBytes: 4 * (1 + arrays) * layout.elementCount)
    }

    /// The update of all rows, on this process.
    private static func updateSeconds(_ layout: ParameterLayout) -> Double {
        let rows = OwnedRow.all(of: layout, in: 0..<layout.rowCount)
        let values = Matrix(rows: 2, columns: layout.elementCount)
        let state = OwnedState(elements: 0..<layout.elementCount)
        let update = RowUpdate(
            optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0).update(
                step: 0, learningRate: 1e-3, gradientFactor: 1),
            importance: .init(measure: .ipt, beta1: 0.85, beta2: 0.85), point: .gradient)
        let times = (0..<5).map { _ in
            seconds {
                for row in rows {
                    update.apply(
                        to: values.pointer + row.offset, gradient: values.pointer + layout.elementCount + row.offset,
                        state: StatePointers(state), offset: row.offset, count: row.elements.count,
                        isImportant: row.block.isTriplets)
                }
            }
        }
        withExtendedLifetime((values, state)) {}
        return times.median
    }
}
