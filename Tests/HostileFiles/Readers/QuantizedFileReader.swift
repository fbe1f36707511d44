import Foundation
import Safetensors
import WeightFiles

/// A file of weights, some of them quantised, made weights again.
struct QuantizedFileReader: FileReader {
    static let name = "quantized"
    static let share = 6

    let seeds: [Seed]
    private let output: String

    init(_ workshop: Workshop) throws {
        let origin = try workshop.newFolder("origin")
        output = try workshop.newFolder("output") + "/x.safetensors"
        let plain = origin + "/plain.safetensors"
        try SafetensorsWriter.write(
            [
                TensorToWrite(name: "w", shape: [3, 5], values: (0..<15).map { Float($0) / 7 - 1 }),
                TensorToWrite(name: "v", shape: [4], values: [1, 2, 3, 4]),
            ], metadata: ["format": "pt"], to: plain)
        var seeds: [Seed] = []
        for (name, bits, group) in [("grouped", 3, 2), ("whole", 8, Int?.none), ("one-bit", 1, 1 << 40)] {
            let path = "\(origin)/\(name).safetensors"
            _ = try WeightFileJob(input: plain, method: .quantize(bits: bits, group: group)).writeAlone(to: path)
            seeds.append(
                try workshop.seed(
                    name, file: "x.safetensors", contents: Workshop.bytes(path), format: .safetensors))
        }
        self.seeds = seeds
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        defer { DurableFile.discard(output) }
        _ = try WeightFileJob(input: input.seed.path, method: .dequantize).writeAlone(to: output)
        // What was written is read by whoever comes next.
        try TensorFileReader.readEveryElement(of: SafetensorsFile(path: output))
    }
}
