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
    public let model: AdaptedModel
    public let schedule: BudgetSchedule
    /// The next step, counted from 0.
    public internal(set) var step = 0
    /// Which triplets the latest decision kept, in the order of rows; all of them before the first.
    public internal(set) var mask: [Bool]

    /// Steps whose gradient was not finite and was left out.
    public internal(set) var skippedSteps = 0
    /// Of these, the latest ones in a row.
    public internal(set) var skippedInARow = 0

    let partition: ParameterPartition
    let state: OwnedState
    private let processIndex: Int
    private let ownedRows: [OwnedRow]
    private let data: TrainingSamples
    private var order: SampleOrder
    private let tree: LaneTree
    private let lanes: Range<Int>
    private let gradients: LaneGradients
    private let reduction: GradientReduction
    private let agreementShape: Agreement.Shape
    private let optimizer: AdamW
    private let learningRate: LearningRate
    private let importance: Importance
    private let regularizer: OrthogonalityRegularizer
    private let localPass: LocalPass
    private let penaltyGradient = Matrix()  // [r, outputs + 1 + inputs] of one module

    /// - Parameters:
    ///   - configuration: valid, also for the model's number of modules.
    ///   - model: with its parameters at the start.
    ///   - data: the training samples.
    public init(
        configuration: TrainingConfiguration, model: AdaptedModel, data: TrainingSamples,
        _ communicator: borrowing Communicator
    ) throws {
        let adapter = configuration.adapter
        let moduleCount = model.tripletBlocks.count
        self.configuration = configuration
        self.model = model
        self.data = data
        schedule = try BudgetSchedule(
            initialBudget: moduleCount * adapter.initialRank,
            targetBudget: adapter.targetTotal ?? moduleCount * adapter.targetRank,
            initialSteps: adapter.initialSteps, finalSteps: adapter.finalSteps, interval: adapter.maskingInterval,
            totalSteps: configuration.totalSteps, form: adapter.budgetForm)
        processIndex = communicator.processIndex
        partition = ParameterPartition(layout: model.layout, processCount: communicator.processCount)
        state = OwnedState(elements: partition.elements[communicator.processIndex])
        ownedRows = OwnedRow.all(of: model.layout, in: partition.rows[communicator.processIndex])
        mask = [Bool](repeating: true, count: model.tripletCount)
        order = SampleOrder(
            sampleCount: data.count, seed: UInt64(configuration.seed), shuffles: configuration.data.shuffle)
        tree = LaneTree(laneCount: configuration.gradientLanes)
        lanes = tree.lanes(ofProcess: communicator.processIndex, of: communicator.processCount)
        gradients = LaneGradients(tree: tree, lanes: lanes, layout: model.layout)
        reduction = try GradientReduction(
            tree: tree, partition: partition, processIndex: communicator.processIndex)
        agreementShape = Agreement.Shape(layout: model.layout, partition: partition, tree: tree)
        optimizer = AdamW(
            beta1: configuration.optimizer.firstMomentDecay, beta2: configuration.optimizer.secondMomentDecay,
            epsilon: configuration.optimizer.epsilon, weightDecay: configuration.optimizer.weightDecay)
        learningRate = LearningRate(configuration)
        localPass = LocalPass(model: model, loss: data.loss)
        importance = Importance(
            measure: adapter.importance, beta1: adapter.sensitivitySmoothing, beta2: adapter.uncertaintySmoothing)
        regularizer = OrthogonalityRegularizer(
            form: adapter.orthogonality, weight: adapter.orthogonalityWeight, moduleCount: moduleCount)
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
        let batch = nextBatch()
        let laneLosses = computeGradients(batch)
        watch.enter(.reduce, step: step)
        let gradient = try reduction.reduce(gradients, communicator)
        watch.enter(.agree, step: step)
        let penalties = addPenaltyGradient(to: gradient)
        let agreement = try Agreement(
            Agreement.Contribution(
                squaredNorms: squaredNorms(of: gradient), laneLosses: laneLosses, penalties: penalties,
                stops: StopRequest.isPending, badBlock: gradients.firstBlockNotFinite(of: model.layout),
                checkpoint: checkpoint),
            shape: agreementShape, tree: tree, communicator)
        watch.enter(.update, step: step)
        if agreement.isFinite {
            updateOwnedRows(gradient, factor: clippingFactor(agreement.gradientNorm))
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
        defer { step += 1 }
        return report(agreement, batch: batch, selection: selection, start: start)
    }

    // MARK: 1, batch

    /// The samples of this step's global batch, by slot.
    private func nextBatch() -> [TrainingSamples.Sample] {
        order.indices(from: step * configuration.batchSize, count: configuration.batchSize).map { data[$0] }
    }

    // MARK: 2, local

    /// Forward and backward for this process's lanes.
    ///
    /// - Returns: for each lane, the sum of the losses of its samples.
    private func computeGradients(_ batch: [TrainingSamples.Sample]) -> [Double] {
        localPass.run(
            batch, lanes: lanes, tree: tree, pass: .training(seed: UInt64(configuration.seed), step: step),
            gradients: gradients)
    }

    // MARK: 4, agree

    /// Adds the gradient of γ·R to that of the owned rows.
    ///
    /// A module's gradient is always computed whole, so that its bits do not depend on how its rows are dealt.
    ///
    /// - Returns: γ·R of each module whose first row this process owns.
    private func addPenaltyGradient(to gradient: UnsafeMutablePointer<Float>) -> [Double] {
        let owned = partition.rows[processIndex]
        var penalties: [Double] = []
        for block in model.tripletBlocks where block.rows.overlaps(owned) {
            guard let outputs = block.outputs else { continue }
            penaltyGradient.resize(rows: block.rows.count, columns: block.rowWidth)
            let rows = MatrixView(
                base: model.parameters.pointer + block.elements.lowerBound, rows: block.rows.count,
                columns: block.rowWidth)
            let penalty = regularizer.evaluate(
                rows: rows, outputs: outputs, gradient: penaltyGradient.mutableView)
            if owned.contains(block.rows.lowerBound) { penalties.append(penalty) }
            for row in block.rows.clamped(to: owned) {
                let target = gradient + block.elements(ofRow: row).lowerBound - state.elements.lowerBound
                let source = penaltyGradient.view.row(row - block.rows.lowerBound)
                for (column, value) in source.enumerated() { target[column] += value }
            }
        }
        return penalties
    }

    private func squaredNorms(of gradient: UnsafeMutablePointer<Float>) -> [Double] {
        ownedRows.map { sumOfSquares(gradient + $0.offset, count: $0.elements.count) }
    }

    private func clippingFactor(_ norm: Double) -> Float {
        guard let largest = configuration.optimizer.maximumGradientNorm else { return 1 }
        return Float(min(1, largest / (norm + 1e-6)))
    }

    // MARK: 5, own

    /// Clipping, sensitivity, Ī, Ū and AdamW, row by row.
    private func updateOwnedRows(_ gradient: UnsafeMutablePointer<Float>, factor: Float) {
        let update = RowUpdate(
            optimizer: optimizer.update(
                step: step, learningRate: learningRate.value(at: step), gradientFactor: factor),
            importance: importance,
            point: schedule.updatesImportance(at: step) ? configuration.adapter.sensitivityPoint : nil)
        let pointers = StatePointers(state)
        for row in ownedRows {
            update.apply(
                to: model.parameters.pointer + row.elements.lowerBound, gradient: gradient + row.offset,
                state: pointers, offset: row.offset, count: row.elements.count, isImportant: row.block.isTriplets)
        }
    }

    // MARK: 6, decide

    /// On a masking step: the scores of the owned triplets, and the same decision on every process.
    private func decide(_ communicator: borrowing Communicator) throws -> Selection? {
        guard schedule.decides(at: step) else { return nil }
        let pointers = StatePointers(state)
        let scores = ownedRows.compactMap { row -> Float? in
            guard let outputs = row.block.outputs, let inputs = row.block.inputs else { return nil }
            return importance.score(
                values: model.parameters.pointer + row.elements.lowerBound,
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
        guard schedule.decides(at: step) || schedule.isFinal(step) else { return }
        for row in ownedRows where row.block.isTriplets && !mask[row.index] {
            model.parameters.pointer[row.elements.lowerBound + (row.block.outputs ?? 0)] = 0
        }
    }

    // MARK: 7, share

    /// Brings every process's replica up to date.
    private func share(_ communicator: borrowing Communicator) throws {
        try communicator.allGatherInPlace(
            UnsafeMutableBufferPointer(start: model.parameters.pointer, count: model.layout.elementCount),
            counts: partition.elements.map(\.count))
    }

    private func report(
        _ agreement: Agreement, batch: [TrainingSamples.Sample], selection: Selection?, start: ContinuousClock.Instant
    ) -> StepReport {
        let taskLoss = agreement.lossSum / Double(configuration.batchSize)
        let active = model.tripletBlocks.reduce(0) { sum, block in
            sum
                + block.rows.count { row in
                    model.parameters.pointer[block.elements(ofRow: row).lowerBound + (block.outputs ?? 0)] != 0
                }
        }
        return StepReport(
            step: step, taskLoss: taskLoss, loss: taskLoss + agreement.penalty,
            learningRate: learningRate.value(at: step), gradientNorm: agreement.gradientNorm,
            budget: schedule.budget(at: step), active: active,
            tokens: batch.reduce(0) { $0 + $1.sequence.tokens.count },
            seconds: start.duration(to: .now).inSeconds,
            decision: selection.map {
                StepReport.Decision(threshold: $0.threshold, ranks: ranks(of: $0.kept))
            },
            skipped: agreement.isFinite
                ? nil
                : StepReport.Skipped(
                    process: agreement.bad?.process ?? 0,
                    block: agreement.bad?.block.map { model.layout.blocks[$0].name }), stops: agreement.stops,
            checkpointIsWritten: agreement.checkpointIsWritten)
    }

    /// Kept triplets by module, in order.
    func ranks(of kept: [Bool]) -> [(module: String, rank: Int)] {
        model.tripletBlocks.map { block in (block.name, kept[block.rows].count { $0 }) }
    }
}

extension Duration {
    /// As a fractional number of seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
