import Diagnostics
import Foundation
import LinearAlgebra
import PEFTFormat
import Safetensors

extension CheckpointPair {
    /// ΔW of a linear layer, [outputs, inputs], exact.
    ///
    /// - Throws: ``FactoringError`` for a weight that is not finite; `SafetensorsError`.
    func difference(of linear: Linear) throws -> DoubleMatrix {
        let shape = [linear.outputs, linear.inputs]
        let before = try base.doubles(of: linear.baseName, shape: shape)
        let after = try tuned.doubles(of: linear.tunedName, shape: shape)
        for (folder, name, values) in [(base, linear.baseName, before), (tuned, linear.tunedName, after)] {
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw FactoringError(
                    .badData,
                    "\(folder.path): '\(name)' holds \(values[index]) in row \(index / linear.inputs), column \(index % linear.inputs); "
                        + "expected finite numbers")
            }
        }
        let result = DoubleMatrix(rows: linear.outputs, columns: linear.inputs)
        for index in 0..<result.count { result.pointer[index] = after[index] - before[index] }
        return result
    }

    /// The tuned model's head, as an adapter keeps it.
    func head() throws -> [HeadTensor] {
        try headNames.compactMap { name in
            guard let tensor = tuned.tensor(named: name), tensor.elementType.isConvertible else { return nil }
            return HeadTensor(
                name: nameWithAdapter(ofHead: name), shape: tensor.shape,
                values: try tuned.floats(of: name, shape: tensor.shape))
        }
    }

    /// What differs and is no linear layer.
    func losses() throws -> [AdapterExtraction.Loss] {
        try others.compactMap { other in
            guard let before = base.tensor(named: other.baseName), let after = tuned.tensor(named: other.tunedName)
            else { return nil }
            guard before.shape == after.shape else { return .init(name: other.tunedName, relativeChange: nil) }
            if before.elementType == after.elementType, let old = base.bytes(of: other.baseName),
                let new = tuned.bytes(of: other.tunedName), old.elementsEqual(new)
            {
                return nil
            }
            guard before.elementType.isConvertible, after.elementType.isConvertible else {
                return .init(name: other.tunedName, relativeChange: nil)
            }
            let old = try base.doubles(of: other.baseName, shape: before.shape)
            let new = try tuned.doubles(of: other.tunedName, shape: after.shape)
            let change = zip(old, new).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            guard change != 0 else { return nil }
            return .init(
                name: other.tunedName,
                relativeChange: (change / max(old.reduce(0) { $0 + $1 * $1 }, .leastNormalMagnitude)).squareRoot())
        }
    }

    /// PEFT's name for the task of the tuned model's class. A BERT without a head is adapted as a classifier.
    var taskType: String {
        let architecture = (configuration["architectures"] as? [String])?.first ?? ""
        let types = [
            ("ForSequenceClassification", "SEQ_CLS"), ("ForTokenClassification", "TOKEN_CLS"),
            ("ForQuestionAnswering", "QUESTION_ANS"), ("ForConditionalGeneration", "SEQ_2_SEQ_LM"),
            ("ForCausalLM", "CAUSAL_LM"),
        ]
        return types.first { architecture.hasSuffix($0.0) }?.1
            ?? (configuration["model_type"] as? String == "bert" ? "SEQ_CLS" : "FEATURE_EXTRACTION")
    }

    /// The names and shapes of all tensors, to be compared.
    var description: String {
        [base, tuned].map { folder in
            folder.tensorNames.map { "\($0) \(folder.tensor(named: $0)?.shape ?? [])" }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// What the tuned model does, as far as its `config.json` says.
    func task(outputCount: Int) -> TaskDescription {
        let isRegression = outputCount == 1
        var labels = (0..<outputCount).map { String($0) }
        if let named = configuration["id2label"] as? [String: String], named.count == outputCount {
            labels = labels.map { named[$0] ?? $0 }
        }
        return TaskDescription(
            task: isRegression ? TaskDescription.regression : TaskDescription.classification,
            labels: isRegression ? nil : labels, maximumLength: nil, textColumn: "text", textPairColumn: nil,
            labelColumn: "label", modelDigest: nil)
    }
}
