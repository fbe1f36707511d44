public import AdaLoRA
import Diagnostics
import Foundation
import LinearAlgebra
public import MessagePassing
import Models
import NeuralNetwork
import Randomness

/// One process's part of a training run: the replica of the parameters, the shard of the state, and the step.
public final class Trainer {
    public let configuration: TrainingConfiguration
    public let network: any TrainableNetwork
    /// How the budget falls; nil where the rank is fixed, or nothing is adapted.
    public let schedule: BudgetSchedule?
    /// The next step, counted from 0.
    public internal(set) var step = 0
    /// Which triplets the latest decision kept, in the order of rows; all of them before the first.
    public internal(set) var mask: [Bool]

    /// Steps whose gradient was not finite and was left out.
    public internal(set) var skippedSteps = 0
    /// Of these, the latest ones in a row.
    public internal(set) var skippedInARow = 0

    /// The triplets of each module as the run started, whatever was removed since.
    let modules: [ParameterLayout.Block]
    /// Rows and state of this process.
    private(set) var shard: TrainingShard
    private var order: SampleOrder
    private let tree: LaneTree
    private let lanes: Range<Int>
    private let optimizer: AdamW
    /// Where a step does more to the weights than AdamW.
    private let treatment: WeightTreatment?
    /// Where σ(ΔW) is bounded.
    private let spectralBound: SpectralBound?
    private let learningRate: LearningRate
    private let importance: Importance
    private let regularizer: OrthogonalityRegularizer
    private let penaltyGradient = Matrix()  // [r, outputs + 1 + inputs] of one module

    /// - Parameters:
    ///   - configuration: valid, also for the network's number of modules.
    ///   - network: with its parameters at the start.
    public init(
        configuration: TrainingConfiguration, network: any TrainableNetwork, _ communicator: borrowing Communicator
    ) throws {
        let adapter = configuration.adapter
        self.configuration = configuration
        self.network = network
        modules = network.tripletBlocks
        schedule = try configuration.budgetSchedule(moduleCount: modules.count)
        tree = LaneTree(laneCount: configuration.gradientLanes)
        lanes = tree.lanes(ofProcess: communicator.processIndex, of: communicator.processCount)
        shard = try TrainingShard(layout: network.layout, tree: tree, communicator)
        mask = [Bool](repeating: true, count: network.tripletCount)
        order = network.sampleOrder(configuration)
        optimizer = AdamW(
            beta1: configuration.optimizer.firstMomentDecay, beta2: configuration.optimizer.secondMomentDecay,
            epsilon: configuration.optimizer.epsilon, weightDecay: configuration.optimizer.weightDecay)
        treatment = WeightTreatment(configuration)
        spectralBound = SpectralBound(configuration)
        learningRate = LearningRate(configuration)
        importance = Importance(
            measure: adapter.importance, beta1: adapter.sensitivitySmoothing, beta2: adapter.uncertaintySmoothing)
        regularizer = OrthogonalityRegularizer(
            form: adapter.orthogonality, weight: adapter.form == .svd ? adapter.orthogonalityWeight : 0,
            moduleCount: modules.count)
        treatment?.prepare(network)
        spectralBound?.apply(to: network.tripletBlocks, parameters: network.parameters.pointer)
    }

    /// One step across the processes.
    ///
    /// - Parameters:
    ///   - watch: told of each phase.
    ///   - checkpoint: how far this process is with its shard of a checkpoint, for all to know.
    func takeStep(
        watch: StepWatch, checkpoint: CheckpointWriter.Progress, _ communicator: borrowing Communicator
    ) throws -> StepReport {
        let start = ContinuousClock.now
        watch.enter(.local, step: step)
        let batch = order.indices(from: step * configuration.batchSize, count: configuration.batchSize)
        let laneLosses = network.computeGradients(
            samples: batch, lanes: lanes, tree: tree, pass: .training(seed: UInt64(configuration.seed), step: step),
            gradients: shard.gradients)
        watch.enter(.reduce, step: step)
        let gradient = try shard.reduction.reduce(shard.gradients, communicator)
        watch.enter(.agree, step: step)
        if configuration.adapter.form == .ba { holdSingularValues(gradient) }
        let penalties = addPenaltyGradient(to: gradient)
        let agreement = try Agreement(
            Agreement.Contribution(
                squaredNorms: squaredNorms(of: gradient), laneLosses: laneLosses, penalties: penalties,
                stops: StopRequest.isPending, badBlock: shard.gradients.firstBlockNotFinite(of: network.layout),
                checkpoint: checkpoint),
            shape: shard.agreementShape, tree: tree, communicator)
        watch.enter(.update, step: step)
        if agreement.isFinite {
            try updateOwnedRows(gradient, factor: clippingFactor(agreement.gradientNorm))
            skippedInARow = 0
        } else {
            skippedSteps += 1
            skippedInARow += 1
        }
        watch.enter(.decide, step: step)
        let selection = try decide(communicator)
        applyMask()
        watch.enter(.share, step: step)
        try share(communicator)
        spectralBound?.apply(to: network.tripletBlocks, parameters: network.parameters.pointer)
        if step == schedule?.lastDecision, configuration.adapter.compactsFinalPhase { try compact(communicator) }
        defer { step += 1 }
        return report(agreement, batch: batch, selection: selection, start: start)
    }

    // MARK: 4, agree

    /// Leaves the λ of the owned triplets out of what is trained: their gradient becomes 0.
    private func holdSingularValues(_ gradient: UnsafeMutablePointer<Float>) {
        for row in shard.ownedRows { if let outputs = row.block.outputs { gradient[row.offset + outputs] = 0 } }
    }

    /// Adds the gradient of γ·R to that of the owned rows.
    ///
    /// A module's gradient is always computed whole, so that its bits do not depend on how its rows are dealt.
    ///
    /// - Returns: γ·R of each module whose first row this process owns.
    private func addPenaltyGradient(to gradient: UnsafeMutablePointer<Float>) -> [Double] {
        let owned = shard.rows
        var penalties: [Double] = []
        for block in network.tripletBlocks where block.rows.overlaps(owned) {
            guard let outputs = block.outputs else { continue }
            penaltyGradient.resize(rows: block.rows.count, columns: block.rowWidth)
            let rows = MatrixView(
                base: network.parameters.pointer + block.elements.lowerBound, rows: block.rows.count,
                columns: block.rowWidth)
            let penalty = regularizer.evaluate(
                rows: rows, outputs: outputs, gradient: penaltyGradient.mutableView)
            if owned.contains(block.rows.lowerBound) { penalties.append(penalty) }
            for row in block.rows.clamped(to: owned) {
                let target = gradient + block.elements(ofRow: row).lowerBound - shard.state.elements.lowerBound
                let source = penaltyGradient.view.row(row - block.rows.lowerBound)
                for (column, value) in source.enumerated() { target[column] += value }
            }
        }
        return penalties
    }

    private func squaredNorms(of gradient: UnsafeMutablePointer<Float>) -> [Double] {
        shard.ownedRows.map { sumOfSquares(gradient + $0.offset, count: $0.elements.count) }
    }

    private func clippingFactor(_ norm: Double) -> Float {
        guard let largest = configuration.optimizer.maximumGradientNorm else { return 1 }
        return Float(min(1, largest / (norm + 1e-6)))
    }

    // MARK: 5, own

    /// Clipping, sensitivity, Ī, Ū and AdamW, row by row.
    private func updateOwnedRows(_ gradient: UnsafeMutablePointer<Float>, factor: Float) throws {
        let optimizer = optimizer.update(
            step: step, learningRate: learningRate.value(at: step), gradientFactor: factor)
        let point = schedule?.updatesImportance(at: step) == true ? configuration.adapter.sensitivityPoint : nil
        let update = RowUpdate(optimizer: optimizer, importance: importance, point: point)
        let pointers = StatePointers(shard.state)
        for row in shard.ownedRows {
            let (values, gradient) = (network.parameters.pointer + row.elements.lowerBound, gradient + row.offset)
            if let treatment {
                try treatment.apply(
                    optimizer, importance, at: point, to: values, gradient: gradient, state: pointers,
                    offset: row.offset, count: row.elements.count, kind: row.block.kind)
            } else {
                update.apply(
                    to: values, gradient: gradient, state: pointers, offset: row.offset, count: row.elements.count,
                    isImportant: row.block.isTriplets)
            }
            // Weight decay is none of theirs either.
            if configuration.adapter.form == .ba, let outputs = row.block.outputs { values[outputs] = 1 }
        }
    }

    // MARK: 6, decide

    /// On a masking step: the scores of the owned triplets, and the same decision on every process.
    private func decide(_ communicator: borrowing Communicator) throws -> Selection? {
        guard let schedule, schedule.decides(at: step) else { return nil }
        let pointers = StatePointers(shard.state)
        let scores = shard.ownedRows.compactMap { row -> Float? in
            guard let outputs = row.block.outputs, let inputs = row.block.inputs else { return nil }
            return importance.score(
                values: network.parameters.pointer + row.elements.lowerBound,
                smoothed: pointers.smoothedSensitivity + row.offset, uncertainty: pointers.uncertainty + row.offset,
                outputs: outputs, inputs: inputs)
        }
        let selection = try Selection.agreed(
            on: scores, tripletCount: mask.count, budget: schedule.budget(at: step), communicator)
        mask = selection.kept
        return selection
    }

    /// Sets λ of the owned triplets that lost to 0: on a masking step, and after every step of the final phase.
    private func applyMask() {
        guard let schedule, !isCompact, schedule.decides(at: step) || schedule.isFinal(step) else { return }
        for row in shard.ownedRows where row.block.isTriplets && !mask[row.index] {
            network.parameters.pointer[row.elements.lowerBound + (row.block.outputs ?? 0)] = 0
        }
    }

    // MARK: 7, share

    /// Brings every process's replica up to date.
    private func share(_ communicator: borrowing Communicator) throws {
        try communicator.allGatherInPlace(
            UnsafeMutableBufferPointer(start: network.parameters.pointer, count: network.layout.elementCount),
            counts: shard.partition.elements.map(\.count))
    }

    /// Whether the triplets that lost the last decision are gone from products, state and traffic.
    var isCompact: Bool { network.tripletCount < mask.count }

    /// Removes the triplets that lost, with their state, and deals the rows that stay anew.
    private func compact(_ communicator: borrowing Communicator) throws {
        let former = shard
        try removeTriplets(keeping: mask, communicator)
        try shard.takeState(from: former, keeping: mask, communicator)
    }

    /// Removes triplets from the network; the state of what stays is zero.
    func removeTriplets(keeping mask: [Bool], _ communicator: borrowing Communicator) throws {
        network.removeTriplets(keeping: mask)
        shard = try TrainingShard(layout: network.layout, tree: tree, communicator)
    }

    private func report(
        _ agreement: Agreement, batch: [Int], selection: Selection?, start: ContinuousClock.Instant
    ) -> StepReport {
        let taskLoss = agreement.lossSum / Double(configuration.batchSize)
        let active = network.tripletBlocks.reduce(0) { sum, block in
            sum
                + block.rows.count { row in
                    network.parameters.pointer[block.elements(ofRow: row).lowerBound + (block.outputs ?? 0)] != 0
                }
        }
        return StepReport(
            step: step, taskLoss: taskLoss, loss: taskLoss + agreement.penalty,
            learningRate: learningRate.value(at: step), gradientNorm: agreement.gradientNorm,
            budget: schedule?.budget(at: step) ?? mask.count, active: active, kept: mask.count { $0 },
            tokens: network.tokenCount(of: batch),
            seconds: start.duration(to: .now).inSeconds,
            decision: selection.map {
                StepReport.Decision(threshold: $0.threshold, ranks: ranks(of: $0.kept))
            },
            skipped: agreement.isFinite
                ? nil
                : StepReport.Skipped(
                    process: agreement.bad?.process ?? 0,
                    block: agreement.bad?.block.map { network.layout.blocks[$0].name }), stops: agreement.stops,
            checkpointIsWritten: agreement.checkpointIsWritten)
    }

    /// Kept triplets by module, in order.
    func ranks(of kept: [Bool]) -> [(module: String, rank: Int)] {
        modules.map { block in (block.name, kept[block.rows].count { $0 }) }
    }
}

extension Duration {
    /// As a fractional number of seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
