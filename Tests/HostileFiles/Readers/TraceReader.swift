import Foundation
import Safetensors
import Training

/// Recorded weights and gradients, and their replay through the allocator.
struct TraceReader: FileReader {
    static let name = "trace"
    static let share = 8

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let origin = try workshop.newFolder("origin")
        try Self.cut(workshop.fixture("trace-small.safetensors"), to: origin + "/trace.safetensors")
        let empty = ["lora_A", "lora_B", "lora_E"].flatMap { part in
            ["weight", "grad"].map { quantity in
                let shape = ["lora_A": "[0,9223372036854775807]", "lora_B": "[2305843009213693951,0]"][part] ?? "[0,1]"
                return #""step.00000.m.\#(part).\#(quantity)":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}"#
            }
        }
        func header(_ configuration: String, _ tensors: [String]) -> String {
            let text = configuration.replacing("\"", with: "\\\"")
            return "{\"__metadata__\":{\"adalora\":\"\(text)\"},\(tensors.joined(separator: ","))}"
        }
        seeds = [
            try workshop.seed("recorded", file: "trace.safetensors", copying: origin, format: .safetensors),
            try workshop.seed(
                "no-elements", file: "trace.safetensors",
                contents: TensorFileReader.file(header(Self.configuration(targetRank: "0"), empty), dataCount: 0),
                format: .safetensors, verdict: .refused),
            try workshop.seed(
                "large-target", file: "trace.safetensors",
                contents: TensorFileReader.file(
                    header(
                        Self.configuration(targetRank: "9223372036854775807"),
                        ["m", "n"].map {
                            #""step.00000.\#($0).lora_A.weight":{"dtype":"F32","shape":[0,1],"data_offsets":[0,0]},"#
                                + #""step.00000.\#($0).lora_B.weight":{"dtype":"F32","shape":[1,0],"data_offsets":[0,0]}"#
                        }), dataCount: 0), format: .safetensors, verdict: .refused),
        ]
    }

    private static func configuration(targetRank: String) -> String {
        #"{"init_r": 8, "target_r": \#(targetRank), "tinit": 0, "tfinal": 1, "deltaT": 1, "total_step": 4, "#
            + #""beta1": 0.85, "beta2": 0.85}"#
    }

    /// The first steps of two modules: enough for a decision, and a fiftieth of the whole.
    private static func cut(_ path: String, to target: String) throws {
        let file = try SafetensorsFile(path: path)
        let tensors = file.tensorNames.compactMap { name -> TensorToWrite? in
            let isKept = (0..<4).contains { step in
                ["layer0", "layer1"].contains { name.hasPrefix("step.0000\(step).\($0).") }
            }
            guard isKept, let tensor = file.tensor(named: name) else { return nil }
            return TensorToWrite(
                name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: file.bytes(of: tensor))
        }
        try SafetensorsWriter.write(tensors, metadata: ["adalora": configuration(targetRank: "3")], to: target)
        withExtendedLifetime(file) {}
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let replay = try AllocationTrace(path: input.seed.path).replay()
        guard !replay.isEmpty else { throw BrokenPromise("a replay of no bytes") }
    }
}
