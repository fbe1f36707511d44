import Diagnostics
import Foundation
import JSONText
import Safetensors

/// What transformers calls a model with a head: the names of its tensors, and its class.
public struct MergedForm: Sendable {
    /// What the names of the base's tensors begin with, for instance `bert.`.
    let root: String
    /// The class, for instance `BertForSequenceClassification`.
    let architecture: String
    /// Paths of layers that have to be there, from the base or from the adapter.
    let requiredLayers: [String]

    public init(root: String, architecture: String, requiredLayers: [String]) {
        self.root = root
        self.architecture = architecture
        self.requiredLayers = requiredLayers
    }
}

extension Adapter {
    /// Writes the base model again with `W0 + ΔW` in place of every adapted weight, and the head: a folder that transformers'
    /// `AutoModelForSequenceClassification` loads without PEFT.
    ///
    /// Tensors get the names of today, with the model's prefix (`bert.`) if the base lacks it. Merged weights are float32, whatever the base's
    /// type; all others keep theirs, but for those that the head has: of a model that was trained in full, all. Files beside
    /// the weights (tokenizer, licence) are copied; folders are not.
    ///
    /// - Parameters:
    ///   - folder: created; must not exist, or be empty.
    ///   - baseFolder: of the base model.
    ///   - form: of the base's family.
    public func writeMerged(to folder: String, baseFolder: String, form: MergedForm, task: TaskDescription) throws {
        let base = try TensorFolder(path: baseFolder)
        let prefix = form.root
        let hasPrefix = base.tensorNames.contains { $0.hasPrefix(prefix) }
        let merged = Dictionary(modules.map { ($0.path + ".weight", $0) }) { first, _ in first }
        var unused = Set(merged.keys)
        let headNames = Set(head.map(\.name))
        var tensors = head.map { TensorToWrite(name: $0.name, shape: $0.shape, values: $0.values) }
        for file in base.files {
            // What was tied may differ now, so each gets its own copy.
            let tied = base.tiedNames.filter { file.tensor(named: $0.value) != nil }.keys.sorted()
            for name in base.tensorNames(in: file) + tied {
                let stored = base.storedName(of: name)
                guard let tensor = file.tensor(named: stored) else { continue }
                let fullName = hasPrefix ? name : prefix + name
                guard !headNames.contains(fullName), !headNames.contains(name) else { continue }
                guard let module = merged[fullName] else {
                    tensors.append(
                        TensorToWrite(
                            name: fullName, elementType: tensor.elementType, shape: tensor.shape,
                            bytes: file.bytes(of: tensor)))
                    continue
                }
                unused.remove(fullName)
                guard tensor.shape == [module.outputs, module.inputs] else {
                    throw PEFTFormatError(
                        .badData,
                        "\(file.path): '\(name)' has shape \(tensor.shape), the adapter's \([module.outputs, module.inputs]); "
                            + "is this the base model that it was trained on?")
                }
                let scale = settings.scale
                tensors.append(
                    TensorToWrite(name: fullName, elementType: .float32, shape: tensor.shape) {
                        .floats(module.merged(into: try file.floats(of: stored, shape: tensor.shape), scale: scale))
                    })
            }
        }
        guard unused.isEmpty else {
            throw PEFTFormatError(
                .badData,
                "\(baseFolder): no tensor '\(unused.sorted().first ?? "")'; is this the base model that the adapter was trained on?"
            )
        }
        if let layer = form.requiredLayers.first(where: { layer in !tensors.contains { $0.name == layer + ".weight" } })
        {
            throw PEFTFormatError(
                .badData,
                "\(baseFolder): no tensor '\(layer).weight', and the adapter brings none, so it was trained on another base; name that "
                    + "with --model")
        }
        let configuration = try mergedConfiguration(baseFolder: baseFolder, form, task)
        try OutputFolder.create(folder)
        let weights = folder + "/model.safetensors"
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: weights)
        try copyCompanions(from: baseFolder, to: folder)
        try DurableFile.write(Data((configuration.text + "\n").utf8), to: folder + "/config.json")
        try task.ofWholeModel(weightsDigest: try FileDigest.hexadecimal(ofFile: weights)).write(toFolder: folder)
        try DurableFile.synchronizeFolder(folder)
        withExtendedLifetime(base) {}
    }

    private func mergedConfiguration(
        baseFolder: String, _ form: MergedForm, _ task: TaskDescription
    ) throws(PEFTFormatError) -> JSONValue {
        var json = try JSONFile.values(baseFolder + "/config.json")
        let labels = task.labels ?? ["LABEL_0"]
        json["architectures"] = .array([.string(form.architecture)])
        json["id2label"] = .object(
            labels.enumerated().map { .init(key: String($0.offset), value: .string($0.element)) })
        json["label2id"] = .object(
            labels.enumerated().map { .init(key: $0.element, value: .number(String($0.offset))) })
        json["problem_type"] = .string(
            task.task == TaskDescription.regression ? "regression" : "single_label_classification")
        // What the base says of its own labels and numbers no longer holds; newer versions of transformers say `dtype`.
        json["num_labels"] = nil
        json["torch_dtype"] = .string("float32")
        json["dtype"] = .string("float32")
        return .object(json.map { .init(key: $0.key, value: $0.value) })
    }

    /// Everything beside weights and configuration that lies in the base folder itself.
    private func copyCompanions(from source: String, to target: String) throws(PEFTFormatError) {
        let weights = [".safetensors", ".bin", ".h5", ".msgpack", ".onnx", ".ot", ".index.json", ".pt", ".pth"]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: source)) ?? [] {
            var isFolder: ObjCBool = false
            let path = source + "/" + name
            guard name != "config.json", name != TaskDescription.fileName, !weights.contains(where: name.hasSuffix),
                !name.hasPrefix("."),
                FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue
            else { continue }
            do {
                try FileManager.default.copyItem(
                    atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path, toPath: target + "/" + name)
            } catch {
                throw PEFTFormatError(
                    .inputOutput, "\(target)/\(name): cannot be copied (\(plainReason(error)))")
            }
        }
    }
}

extension AdapterModule {
    /// `weight + scale · Σ_i P_i·λ_i·Q_i`, [outputs, inputs], each element summed in double precision.
    public func merged(into weight: [Float], scale: Float) -> [Float] {
        var result = weight
        var row = [Double](repeating: 0, count: inputs)
        for output in 0..<outputs {
            for input in 0..<inputs { row[input] = Double(weight[output * inputs + input]) }
            for triplet in 0..<rank {
                let factor =
                    Double(scale) * Double(leftVectors[triplet * outputs + output])
                    * Double(singularValues[triplet])
                for input in 0..<inputs { row[input] += factor * Double(rightVectors[triplet * inputs + input]) }
            }
            for input in 0..<inputs { result[output * inputs + input] = Float(row[input]) }
        }
        return result
    }
}
