import Diagnostics
import FixtureFiles
import Foundation
import PEFTFormat
import Safetensors
import Testing

/// An adapter's folder of chosen contents: tensors by name without PEFT's prefix, and the keys of its configuration.
struct AdapterFolder {
    let folder: Fixture.TemporaryFolder
    var path: String { folder.path }

    typealias Tensor = (shape: [Int], values: [Float])

    static var adalora: [String: Any] {
        [
            "peft_type": "ADALORA", "init_r": 2, "target_r": 1, "lora_alpha": 4, "total_step": 10, "tinit": 1,
            "tfinal": 2, "target_modules": ["query"],
        ]
    }

    static var lora: [String: Any] {
        ["peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query"]]
    }

    /// Two triplets of a layer from 3 to 2, with λ = 0.5 and −2.
    static let adaloraTensors: [String: Tensor] = [
        "bert.query.lora_A": ([2, 3], [1, 2, 3, 4, 5, 6]), "bert.query.lora_E": ([2, 1], [0.5, -2]),
        "bert.query.lora_B": ([2, 2], [1, 10, 2, 20]), "classifier.weight": ([2, 2], [1, 2, 3, 4]),
        "classifier.bias": ([2], [5, 6]),
    ]

    static let loraTensors: [String: Tensor] = [
        "bert.query.lora_A.weight": ([2, 3], [1, 2, 3, 4, 5, 6]),
        "bert.query.lora_B.weight": ([2, 2], [1, 10, 2, 20]),
        "classifier.weight": ([2, 2], [1, 2, 3, 4]), "classifier.bias": ([2], [5, 6]),
    ]

    init(_ configuration: [String: Any], _ tensors: [String: Tensor], prefix: String = "base_model.model.") throws {
        folder = try Fixture.TemporaryFolder()
        try JSONSerialization.data(withJSONObject: configuration).write(
            to: URL(fileURLWithPath: folder.path + "/adapter_config.json"))
        try SafetensorsWriter.write(
            tensors.map { TensorToWrite(name: prefix + $0.key, shape: $0.value.shape, values: $0.value.values) },
            metadata: [:], to: folder.path + "/adapter_model.safetensors")
    }

    /// The folder, read.
    func read() throws -> Adapter {
        // The files are removed with the folder.
        try withExtendedLifetime(folder) { try Adapter(path: path) }
    }

    /// Replaces a file of the folder.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    /// Expects that the folder is refused with one line that says where and what.
    func expectRefusal(
        _ kind: FailureKind = .badData, says message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do {
            _ = try Adapter(path: path)
            Issue.record("read without a complaint", sourceLocation: sourceLocation)
        } catch {
            guard let error = error as? any Diagnosis else {
                Issue.record(error, sourceLocation: sourceLocation)
                return
            }
            #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
            #expect(error.description.contains(message), "\(error)", sourceLocation: sourceLocation)
            #expect(error.description.contains(path), "\(error)", sourceLocation: sourceLocation)
            #expect(!error.description.contains("\n"), "\(error)", sourceLocation: sourceLocation)
        }
    }
}

extension Dictionary {
    /// A copy with other values for some keys; nil removes a key.
    func with(_ changes: [Key: Value?]) -> Self {
        var copy = self
        for (key, value) in changes { copy[key] = value }
        return copy
    }
}

/// ΔW of a module, [outputs][inputs], by its definition, in double precision.
func weightChange(of module: AdapterModule, scale: Double) -> [[Double]] {
    (0..<module.outputs).map { output in
        (0..<module.inputs).map { input in
            (0..<module.rank).reduce(0) { sum, triplet in
                sum + scale * Double(module.leftVectors[triplet * module.outputs + output])
                    * Double(module.singularValues[triplet])
                    * Double(module.rightVectors[triplet * module.inputs + input])
            }
        }
    }
}

/// The largest difference of two matrices' elements; infinite if their shapes differ.
func largestDifference(_ first: [[Double]], _ second: [[Double]]) -> Double {
    guard first.map(\.count) == second.map(\.count) else { return .infinity }
    return zip(first.joined(), second.joined()).map { abs($0 - $1) }.max() ?? 0
}

let description = TaskDescription(
    task: TaskDescription.classification, labels: ["bad", "good"], maximumLength: 64, textColumn: "text",
    textPairColumn: nil, labelColumn: "label", modelDigest: "digest")
