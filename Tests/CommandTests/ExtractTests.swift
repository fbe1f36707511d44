import FixtureFiles
import Foundation
import LinearAlgebra
import MultiProcessTesting
import PEFTFormat
import Safetensors
import Testing

@Suite("Adapters from two checkpoints", .serialized)
struct ExtractTests {
    private let folder: Fixture.TemporaryFolder
    private let base = Fixture.path("tiny-bert")
    private var tuned: String { folder.path + "/tuned" }
    /// The merged model of an adapter with 17 triplets.
    private let original = Fixture.path("tiny-bert-pruned-adapter")

    init() throws {
        folder = try Fixture.TemporaryFolder()
        let adapter = try Adapter(path: original)
        try adapter.writeMerged(
            to: tuned, baseFolder: base,
            form: MergedForm(
                root: "bert.", architecture: "BertForSequenceClassification", requiredLayers: ["bert.pooler.dense"]),
            task: try TaskDescription(adapterFolder: original, outputCount: adapter.outputCount))
    }

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func extract(
        _ options: String, tuned: String? = nil, base: String? = nil, output: String, processes: Int? = nil
    ) async throws -> JobResult {
        try await rankwise(
            [
                "extract", "--base", base ?? self.base, "--tuned", tuned ?? self.tuned, "--output", path(output),
            ] + options.split(separator: " ").map(String.init), processes: processes)
    }

    /// What differs in each linear layer, [path: difference], found by name in the two files.
    private func differences() throws -> [String: DoubleMatrix] {
        let (before, after) = (try TensorFolder(path: base), try TensorFolder(path: tuned))
        var result: [String: DoubleMatrix] = [:]
        for name in before.tensorNames where name.hasSuffix(".weight") && !name.contains("embeddings") {
            guard let shape = before.tensor(named: name)?.shape, shape.count == 2 else { continue }
            let old = try before.doubles(of: name, shape: shape)
            let new = try after.doubles(of: "bert." + name, shape: shape)
            result["bert." + name.dropLast(".weight".count)] = DoubleMatrix(
                rows: shape[0], columns: shape[1], elements: zip(new, old).map { $0 - $1 })
        }
        return result
    }

    /// ΔW of a module by its definition.
    private func change(_ module: AdapterModule?, like matrix: DoubleMatrix, scale: Float) -> DoubleMatrix {
        let result = DoubleMatrix(rows: matrix.rows, columns: matrix.columns)
        guard let module else { return result }
        for triplet in 0..<module.rank {
            for row in 0..<matrix.rows {
                let factor =
                    Double(scale) * Double(module.singularValues[triplet])
                    * Double(module.leftVectors[triplet * matrix.rows + row])
                for column in 0..<matrix.columns {
                    result[row, column] += factor * Double(module.rightVectors[triplet * matrix.columns + column])
                }
            }
        }
        return result
    }

    @Test("a merged adapter comes back at its own budget, in both formats", arguments: ["adalora", "lora"])
    func ownBudget(format: String) async throws {
        let result = try await extract("--budget 17 --format \(format)", output: "adapter")
        #expect(result.status == 0, "\(result.standardError)")
        let adapter = try Adapter(path: path("adapter"))
        #expect(adapter.modules.reduce(0) { $0 + $1.rank } == 17)
        for (name, difference) in try differences() {
            let found = change(
                adapter.modules.first { $0.path == name }, like: difference, scale: adapter.settings.scale)
            // Entries are about 1; single precision leaves 1e-7 of them.
            #expect(zip(found.elements, difference.elements).allSatisfy { abs($0 - $1) < 1e-4 }, "\(name)")
        }
        let source = try Adapter(path: original)
        #expect(Set(adapter.head.map(\.name)) == Set(source.head.map(\.name)))
        #expect(adapter.head.allSatisfy { tensor in source.head.contains(tensor) })
        let texts = "a great film\nthe worst story\n"
        let expected = try await rankwise(["predict", "--adapter", original, "--model", base], input: texts)
        let predicted = try await rankwise(["predict", "--adapter", path("adapter")], input: texts)
        #expect(predicted.status == 0, "\(predicted.standardError)")
        func logits(_ result: JobResult) throws -> [Double] {
            try result.standardOutput.split(separator: "\n").flatMap {
                let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                return try #require(line?["logits"] as? [Double])
            }
        }
        let (first, second) = (try logits(expected), try logits(predicted))
        #expect(first.count == 6 && zip(first, second).allSatisfy { abs($0 - $1) < 1e-4 }, "\(first) \(second)")
    }

    @Test(
        "at any budget the error is the least there is: all σ² that are not among the greatest", arguments: [1, 8, 40])
    func optimum(budget: Int) async throws {
        let result = try await extract("--budget \(budget) --json", output: "adapter")
        #expect(result.status == 0, "\(result.standardError)")
        let adapter = try Adapter(path: path("adapter"))
        #expect(adapter.modules.reduce(0) { $0 + $1.rank } == budget)
        var (squares, error, norm): ([Double], Double, Double) = ([], 0, 0)
        for (name, difference) in try differences() {
            squares += try singularValueDecomposition(of: difference).singularValues.map { $0 * $0 }
            norm += difference.sumOfSquares
            let found = change(
                adapter.modules.first { $0.path == name }, like: difference, scale: adapter.settings.scale)
            error += zip(found.elements, difference.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let least = squares.sorted(by: >).dropFirst(budget).reduce(0, +)
        // Vectors in single precision leave 1e-7 of each entry, so 1e-12 or so of squares of about 70 in all.
        #expect(abs(error - least) < 1e-6 * least + 1e-9)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any])
        let told = try #require(report["relative_error"] as? Double)
        #expect(abs(told - (least / norm).squareRoot()) < 1e-9)
    }

    @Test("the same bytes for any number of processes")
    func processes() async throws {
        let alone = try await extract("--budget 12 --max-rank 3", output: "p0")
        #expect(alone.status == 0, "\(alone.standardError)")
        let names = try FileManager.default.contentsOfDirectory(atPath: path("p0"))
        #expect(names.count == 3)
        #expect(try Adapter(path: path("p0")).modules.allSatisfy { $0.rank <= 3 })
        for count in 1...4 {
            let result = try await extract("--budget 12 --max-rank 3", output: "p\(count)", processes: count)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardOutput.replacing("/p\(count)", with: "/p0") == alone.standardOutput)
            for name in names {
                #expect(
                    FileManager.default.contents(atPath: path("p\(count)/\(name)"))
                        == FileManager.default.contents(atPath: path("p0/\(name)")), "\(count) processes, \(name)")
            }
        }
    }

    /// A copy of the tuned model with some tensors changed; nil leaves one out.
    private func changed(_ name: String, _ change: (String, [Int], [Float]) -> ([Int], [Float])?) throws -> String {
        let folder = path(name)
        try FileManager.default.copyItem(atPath: tuned, toPath: folder)
        let source = try TensorFolder(path: tuned)
        let tensors = try source.tensorNames.compactMap { name -> TensorToWrite? in
            let shape = try #require(source.tensor(named: name)).shape
            return change(name, shape, try source.floats(of: name, shape: shape)).map {
                TensorToWrite(name: name, shape: $0.0, values: $0.1)
            }
        }
        try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
        try SafetensorsWriter.write(tensors, metadata: [:], to: folder + "/model.safetensors")
        return folder
    }

    @Test("what an adapter cannot carry is named")
    func notCarried() async throws {
        let names = [
            "bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.output.LayerNorm.weight",
            "bert.encoder.layer.1.output.dense.bias",
        ]
        let other = try changed("other") { name, shape, values in
            (shape, names.contains(name) ? values.map { $0 + 0.01 } : values)
        }
        let result = try await extract("--budget 17", tuned: other, output: "adapter", processes: 2)
        #expect(result.status == 0, "\(result.standardError)")
        let told = result.standardOutput.split(separator: "\n").filter { $0.hasPrefix("not carried: ") }
        #expect(told.count == 3)
        for name in names { #expect(told.contains { $0.contains(name) }, "\(result.standardOutput)") }
        let without = try await extract("--budget 17", output: "adapter2")
        #expect(!without.standardOutput.contains("not carried"))
    }

    @Test("checkpoints that do not fit, and budgets that cannot be met, end with one line and nothing written")
    func badInput() async throws {
        let key = "bert.encoder.layer.1.attention.self.key.weight"
        let cases: [(tuned: String, options: String, status: Int32, message: String)] = [
            (tuned, "--budget 0", 64, "--budget is 0"), (tuned, "--budget 5 --max-rank 0", 64, "--max-rank"),
            (tuned, "--budget 100000", 64, "have 224"), (tuned, "--budget 15 --max-rank 2", 64, "within a rank of 2"),
            (base, "--budget 1", 65, "no linear layer differs"), (path("nowhere"), "--budget 1", 66, "nowhere"),
            (
                try changed("nan") { name, shape, values in
                    (shape, name == key ? values.enumerated().map { $0.offset == 33 ? .nan : $0.element } : values)
                }, "--budget 5", 65, "row 1, column 1"
            ),
            (
                try changed("shape") { name, shape, values in (name == key ? [16, 64] : shape, values) }, "--budget 5",
                65, "shape [16, 64]"
            ),
            (try changed("less") { name, shape, values in name == key ? nil : (shape, values) }, "--budget 5", 65, key),
        ]
        for (tuned, options, status, message) in cases {
            let result = try await extract(options, tuned: tuned, output: "none")
            #expect(result.status == status, "\(options): \(result.standardError)")
            #expect(result.standardError.contains(message), "\(options): \(result.standardError)")
            #expect(!FileManager.default.fileExists(atPath: path("none")))
        }
        // The base is the larger one.
        let reverse = try await extract("--budget 5", tuned: base, base: path("less"), output: "none")
        #expect(reverse.status == 65 && reverse.standardError.contains("no counterpart"), "\(reverse.standardError)")
        try FileManager.default.createDirectory(atPath: path("full"), withIntermediateDirectories: true)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: path("full/file")))
        let result = try await extract("--budget 5", output: "full", processes: 2)
        #expect(result.status == 64 && result.standardError.contains("not an empty folder"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("full")) == ["file"])
    }
}
