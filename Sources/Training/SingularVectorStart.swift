import CKernels
import Diagnostics
import LinearAlgebra
import MessagePassing
import Models
import NeuralNetwork
import PEFTFormat

/// Adapters that start as a part of the weights they adapt: P, Λ, Q are singular triplets of W0, and W0 − s·PΛQ takes W0's
/// place, so that the network computes at step 0 what it computed without them.
struct SingularVectorStart {
    /// P, Λ and Q as they were at step 0; with them, what a run has learnt is the difference to W0.
    let modules: [AdapterModule]

    /// Decomposes the weights of all adapted modules, dealt to the processes, and sets parameters and weights. Collective.
    ///
    /// One process decomposes a matrix and broadcasts its triplets, so that all have the same bits, however many they are.
    ///
    /// - Parameters:
    ///   - storage: for what is left of the weights.
    ///   - progressed: called with the number of modules that are done.
    /// - Throws: ``TrainingError`` if a weight has fewer singular values than its adapter triplets, or one that is not finite.
    init(
        _ model: any AdapterHost, _ configuration: TrainingConfiguration, storage: any ConvertedWeights,
        _ communicator: borrowing Communicator, progressed: (_ done: Int) -> Void
    ) throws {
        let scale = configuration.adapterSettings.scale
        let takesLeading = configuration.adapter.initialization == .leadingTriplets
        let modules = model.tripletBlocks.compactMap {
            block -> (block: ParameterLayout.Block, linear: AdaptedLinear, weight: MatrixView)? in
            guard let linear = model.linears.first(where: { $0.path == block.name }),
                case .plain(let weight) = linear.weight
            else { return nil }
            return (block, linear, weight)
        }
        if let narrow = modules.first(where: { $0.block.rows.count > min($0.linear.outputs, $0.linear.inputs) }) {
            let values = min(narrow.linear.outputs, narrow.linear.inputs)
            throw TrainingError(
                .usage,
                "adapter.init_r is \(narrow.block.rows.count), but the weight of '\(narrow.block.name)' has \(values) "
                    + "singular values; set adapter.init_r to at most \(values), or adapter.initialization to normal")
        }
        for start in stride(from: 0, to: modules.count, by: communicator.processCount) {
            let round = modules[start..<min(start + communicator.processCount, modules.count)]
            if communicator.processIndex < round.count {
                let (block, linear, weight) = round[start + communicator.processIndex]
                try Self.writeTriplets(
                    of: linear, weight, to: model.parameters.pointer + block.elements.lowerBound,
                    count: block.rows.count,
                    scale: scale, takesLeading: takesLeading)
            }
            for (process, module) in round.enumerated() {
                try communicator.broadcast(
                    UnsafeMutableBufferPointer(
                        start: model.parameters.pointer + module.block.elements.lowerBound,
                        count: module.block.elements.count),
                    from: process)
            }
            progressed(round.endIndex)
        }
        // Each starts at a cache line.
        let sizes = modules.map { ($0.linear.outputs * $0.linear.inputs + 15) / 16 * 16 }
        let base = try storage.memory(count: sizes.reduce(0, +)) { memory in
            var place = memory
            for (module, size) in zip(modules, sizes) {
                Self.writeResidual(
                    of: module.linear, module.weight,
                    without: model.parameters.pointer + module.block.elements.lowerBound,
                    count: module.block.rows.count, scale: scale, to: place)
                place += size
            }
        }
        var place = base
        for (module, size) in zip(modules, sizes) {
            module.linear.replaceWeight(
                MatrixView(base: place, rows: module.linear.outputs, columns: module.linear.inputs))
            place += size
        }
        self.modules = model.tripletBlocks.map { block in
            AdapterModule(
                block, parameters: model.parameters.pointer, rows: Array(block.rows),
                pattern: [Bool](repeating: true, count: block.rows.count))
        }
    }

    /// Rows `[P_i | λ_i | Q_i]` with s·λ_i = σ_i.
    private static func writeTriplets(
        of linear: AdaptedLinear, _ weight: MatrixView, to rows: UnsafeMutablePointer<Float>, count: Int, scale: Float,
        takesLeading: Bool
    ) throws {
        let decomposition: SingularValueDecomposition
        do {
            decomposition = try singularValueDecomposition(of: weight)
        } catch {
            throw TrainingError(.badData, "the weight of '\(linear.path)': \(error)")
        }
        defer { withExtendedLifetime(decomposition) {} }
        let first = takesLeading ? 0 : decomposition.singularValues.count - count
        let width = linear.outputs + 1 + linear.inputs
        for triplet in 0..<count {
            let row = rows + triplet * width
            let index = first + triplet
            for output in 0..<linear.outputs { row[output] = decomposition.leftVectors[output, index] }
            row[linear.outputs] = decomposition.singularValues[index] / scale
            (row + linear.outputs + 1).update(
                from: decomposition.rightVectors.view.rowStart(index), count: linear.inputs)
        }
    }

    /// W0 − s·PΛQ, row by row.
    private static func writeResidual(
        of linear: AdaptedLinear, _ weight: MatrixView, without rows: UnsafePointer<Float>, count: Int, scale: Float,
        to residual: UnsafeMutablePointer<Float>
    ) {
        let width = linear.outputs + 1 + linear.inputs
        for output in 0..<linear.outputs {
            let target = residual + output * linear.inputs
            target.update(from: weight.rowStart(output), count: linear.inputs)
            for triplet in 0..<count {
                let row = rows + triplet * width
                kernel_add_scaled(
                    target, -scale * row[linear.outputs] * row[output], row + linear.outputs + 1, linear.inputs)
            }
        }
    }
}

extension SingularVectorStart {
    /// Starts the adapters with singular triplets of the weights, where the configuration says so. Collective.
    ///
    /// - Parameters:
    ///   - model: nil where nothing is adapted.
    ///   - progressed: called whenever some modules are done.
    static func ofRun(
        _ configuration: TrainingConfiguration, on model: (any AdapterHost)?, storage: any ConvertedWeights,
        _ communicator: borrowing Communicator, progressed: () -> Void
    ) throws -> SingularVectorStart? {
        guard configuration.adapter.initialization.isDecomposition, let model else { return nil }
        let isCoordinator = communicator.processIndex == 0
        let count = model.tripletBlocks.count
        var told = ContinuousClock.now
        return try SingularVectorStart(model, configuration, storage: storage, communicator) { done in
            progressed()
            guard isCoordinator, done == count || told.duration(to: .now) > .seconds(2) else { return }
            told = .now
            tellUser("singular vectors of \(done) of \(count) weights")
        }
    }
}
