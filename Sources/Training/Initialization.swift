import Diagnostics
import LinearAlgebra
import NeuralNetwork
public import PEFTFormat
import Randomness

extension AdaptedModel {
    /// Sets the parameters of a new run: λ = 0, P and Q ~ N(0, 0.02²), the head's weight likewise, its bias 0. In LoRA's
    /// form P = 0 and λ = 1.
    ///
    /// Each number is a function of (seed, block, index), the same whoever draws it.
    public func initialize(seed: UInt64, form: TrainingConfiguration.AdapterForm = .svd) {
        let normal = NormalSource(seed: seed)
        for (tensor, block) in layout.blocks.enumerated() {
            let elements = UnsafeMutableBufferPointer(
                start: parameters.pointer + block.elements.lowerBound, count: block.elements.count)
            normal.fill(elements, tensor: tensor, standardDeviation: 0.02)
            if let outputs = block.outputs {
                for row in 0..<block.rows.count {
                    if form == .ba { elements[(row * block.rowWidth)...].prefix(outputs).update(repeating: 0) }
                    elements[row * block.rowWidth + outputs] = form == .ba ? 1 : 0
                }
            } else if block.name.hasSuffix(".bias") {
                elements.update(repeating: 0)
            }
        }
    }

    /// Takes the parameters from an adapter: its kept triplets in order, the rest of a module's triplets with λ = 0.
    ///
    /// - Parameter path: of the adapter, for messages.
    /// - Throws: ``TrainingError`` if a module or a shape differs.
    public func load(_ adapter: Adapter, path: String) throws(TrainingError) {
        for block in tripletBlocks {
            guard let module = adapter.modules.first(where: { $0.path == block.name }) else {
                throw TrainingError(
                    .badData, "\(path): no triplets for module '\(block.name)', which target_modules names")
            }
            guard module.outputs == block.outputs, module.inputs == block.inputs, module.rank == block.rows.count
            else {
                throw TrainingError(
                    .badData,
                    "\(path): module '\(block.name)' has \(module.rank) triplets of \(module.outputs) × \(module.inputs), "
                        + "expected \(block.rows.count) of \(block.outputs ?? 0) × \(block.inputs ?? 0); set adapter.init_r to match"
                )
            }
            for triplet in 0..<module.rank {
                let row = parameters.pointer + block.elements(ofRow: block.rows.lowerBound + triplet).lowerBound
                for column in 0..<module.outputs { row[column] = module.leftVectors[triplet * module.outputs + column] }
                row[module.outputs] = module.singularValues[triplet]
                for column in 0..<module.inputs {
                    row[module.outputs + 1 + column] = module.rightVectors[triplet * module.inputs + column]
                }
            }
        }
        for block in layout.blocks where !block.isTriplets {
            guard let tensor = adapter.head.first(where: { $0.name == block.name }) else {
                throw TrainingError(.badData, "\(path): no tensor '\(block.name)'; expected the head with the adapter")
            }
            guard tensor.values.count == block.elements.count else {
                throw TrainingError(
                    .badData,
                    "\(path): '\(block.name)' has shape \(tensor.shape), expected \(block.elements.count) elements; "
                        + "the task has \(outputCount) outputs")
            }
            (parameters.pointer + block.elements.lowerBound).update(from: tensor.values, count: tensor.values.count)
        }
    }
}
