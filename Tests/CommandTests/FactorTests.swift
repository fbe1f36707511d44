import FixtureFiles
import Foundation
import LinearAlgebra
import MultiProcessTesting
import Safetensors
import Testing

@Suite("Factors of a matrix", .serialized)
struct FactorTests {
    private let folder: Fixture.TemporaryFolder
    private static let words = Fixture.path("jieba-words/frequent.tsv")
    private static let dragon =
        "神\t兽\t1\n神\t界\t1\n神\t龙\t1\n神\t灵\t1\n魔\t兽\t1\n魔\t界\t1\n魔\t龙\t1\n魔\t灵\t1\n魔\t术\t1\n"

    init() throws { folder = try Fixture.TemporaryFolder() }

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    private func factor(
        _ input: String, _ options: String, output: String, processes: Int? = nil
    ) async throws -> JobResult {
        try await rankwise(
            ["factor", input, "--output", path(output)] + options.split(separator: " ").map(String.init),
            processes: processes)
    }

    private func report(_ input: String, _ options: String, output: String, processes: Int? = nil) async throws
        -> [String: Any]
    {
        let result = try await factor(input, options + " --json", output: output, processes: processes)
        #expect(result.status == 0, "\(result.standardError)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any])
    }

    private func matrix(_ file: String, _ name: String) throws -> DoubleMatrix {
        let file = try SafetensorsFile(path: path(file))
        let shape = try #require(file.tensor(named: name), "\(name)").shape
        return DoubleMatrix(
            rows: shape[0], columns: shape[1], elements: try file.doubles(of: name, shape: shape))
    }

    private func names(_ file: String, _ name: String) throws -> [Substring] {
        let file = try SafetensorsFile(path: path(file))
        let tensor = try #require(file.tensor(named: name))
        return String(decoding: file.bytes(of: tensor), as: UTF8.self).split(separator: "\n")
    }

    @Test(
        "a dragon of a god: 神术 is worth 4/√65 by every method", arguments: ["svd", "gram", "randomized", "autoencoder"])
    func dragon(method: String) async throws {
        let input = try write(Self.dragon, to: "dragon.tsv")
        let result = try await factor(
            input, "--rank 1 --relu --derive 3 --method \(method)", output: "\(method).safetensors")
        #expect(result.status == 0, "\(result.standardError)")
        #expect(result.standardOutput.contains("\n神\t术\t0.496139\n"), "\(result.standardOutput)")
        let (a, b) = (try matrix("\(method).safetensors", "A"), try matrix("\(method).safetensors", "B"))
        let columns = try names("\(method).safetensors", "column_names")
        #expect(try names("\(method).safetensors", "row_names") == ["神", "魔"])
        #expect(columns == ["兽", "界", "龙", "灵", "术"])
        // The numbers are known to six decimals.
        for (row, column, value) in [(1, 4, 0.562017), (0, 0, 0.934122), (1, 0, 1.058156)] {
            #expect(abs(a[row, 0] * b[0, column] - value) < 1e-6)
        }
        if method != "autoencoder" {
            let file = try SafetensorsFile(path: path("\(method).safetensors"))
            #expect(try abs(file.doubles(of: "singular_values", shape: [1])[0] - 2.920810) < 1e-6)
        }
    }

    @Test(
        "frequent Chinese words: 382 singular values above 5000, the same bytes for any number of processes",
        arguments: ["svd", "gram"])
    func words(method: String) async throws {
        let options = "--sigma-above 5000 --relu --derive 200 --method \(method) --derived "
        let report = try await report(Self.words, options + path("alone.tsv"), output: "alone.safetensors")
        #expect(report["rows"] as? Int == 735 && report["columns"] as? Int == 703)
        #expect(report["rank"] as? Int == 382)
        let values = try #require(report["singular_values"] as? [Double])
        let next = try #require(report["next_singular_value"] as? Double)
        #expect((values.last ?? 0) > 5000 && next <= 5000)
        // Eckart and Young: what is left is what the values left out hold.
        let norm = try #require(report["norm"] as? Double)
        let error = try #require(report["relative_error"] as? Double)
        let kept = values.reduce(0) { $0 + $1 * $1 }
        #expect(abs(error * error - (1 - kept / (norm * norm))) < 1e-9)
        #expect(try #require(report["relative_error_relu"] as? Double) < error)
        let derived = try String(contentsOfFile: path("alone.tsv"), encoding: .utf8).split(separator: "\n")
        #expect(derived.count == 200)
        let known = try String(contentsOfFile: Self.words, encoding: .utf8).split(separator: "\n")
        let words = Set(known.map { $0.split(separator: "\t").prefix(2).joined() })
        #expect(!derived.contains { words.contains($0.split(separator: "\t").prefix(2).joined()) })
        for processes in [2, 3] {
            let result = try await factor(
                Self.words, options + path("p\(processes).tsv"), output: "p\(processes).safetensors",
                processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            for ending in ["safetensors", "tsv"] {
                #expect(
                    FileManager.default.contents(atPath: path("p\(processes).\(ending)"))
                        == FileManager.default.contents(atPath: path("alone.\(ending)")), "\(processes) processes")
            }
        }
    }

    /// 120 × 40 with singular values 10, 8, 6, 5, 4, 3 and then 1.5 to 0.1.
    private func gapped() throws -> (path: String, values: [Double]) {
        let values = [10.0, 8, 6, 5, 4, 3] + (0..<34).map { 1.5 - 1.4 * Double($0) / 33 }
        var x = 0.1
        func numbers(_ rows: Int) -> DoubleMatrix {
            DoubleMatrix(
                rows: rows, columns: 40,
                elements: (0..<rows * 40).map { _ in
                    x += 0.6180339887498949
                    x -= x.rounded(.down)
                    return (x * x * 7).truncatingRemainder(dividingBy: 1) - 0.5
                })
        }
        let left = try singularValueDecomposition(of: numbers(120)).leftVectors
        let right = try singularValueDecomposition(of: numbers(40)).rightVectors
        for row in 0..<120 { for index in 0..<40 { left[row, index] *= values[index] } }
        let product = DoubleMatrix(rows: 120, columns: 40)
        multiply(left.view, .none, right.view, into: product.view)
        try SafetensorsWriter.write(
            [TensorToWrite(name: "m", elementType: .float64, shape: [120, 40]) { .doubles(product.elements) }],
            metadata: [:], to: path("m.safetensors"))
        return (path("m.safetensors"), values)
    }

    @Test("a trained linear autoencoder comes to the singular value decomposition, on any number of processes")
    func autoencoder() async throws {
        let (input, values) = try gapped()
        let svd = try await report(input, "--rank 6", output: "svd.safetensors")
        let trained = try await report(input, "--rank 6 --method autoencoder --seed 3", output: "ae.safetensors")
        let best = try #require(svd["relative_error"] as? Double)
        let found = try #require(trained["relative_error"] as? Double)
        let norm = try #require(svd["norm"] as? Double)
        let rest = values.dropFirst(6).reduce(0) { $0 + $1 * $1 }
        #expect(abs(best * best * norm * norm / rest - 1) < 1e-9)
        // The loss is never below the optimum, and a thousandth above it at most.
        #expect(found * found / (best * best) - 1 < 1e-3 && found >= best * (1 - 1e-6))
        // The smallest cosine between the spaces of the rows of B.
        let basis = try orthonormalBasis(of: try matrix("ae.safetensors", "B").transposed())
        let overlap = DoubleMatrix(rows: 6, columns: 6)
        let expected = try matrix("svd.safetensors", "B")
        multiply(expected.view, .none, basis.view, into: overlap.view)
        #expect((try singularValueDecomposition(of: overlap).singularValues.last ?? 0) >= 0.9999)
        for processes in [2, 3] {
            let name = "ae\(processes).safetensors"
            let result = try await factor(
                input, "--rank 6 --method autoencoder --seed 3", output: name, processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            #expect(
                FileManager.default.contents(atPath: path(name))
                    == FileManager.default.contents(atPath: path("ae.safetensors")), "\(processes) processes")
        }
    }

    @Test("batches of an autoencoder, and three factors, are the same bytes on two processes")
    func others() async throws {
        let (input, _) = try gapped()
        for (name, options) in [
            ("batches", "--rank 3 --method autoencoder --batch-size 50 --steps 60 --type float32"),
            ("three", "--row-clusters 3 --column-clusters 5 --method gram"),
            ("random", "--rank 6 --method randomized"),
        ] {
            for processes in [1, 2] {
                let result = try await factor(
                    input, options, output: "\(name)\(processes).safetensors", processes: processes)
                #expect(result.status == 0, "\(result.standardError)")
            }
            #expect(
                FileManager.default.contents(atPath: path("\(name)1.safetensors"))
                    == FileManager.default.contents(atPath: path("\(name)2.safetensors")), "\(name)")
        }
        let three = try SafetensorsFile(path: path("three1.safetensors"))
        #expect(Set(three.tensorNames) == ["A", "P", "Q"])
        #expect(three.tensor(named: "P")?.shape == [3, 5])
        #expect(three.metadata["product"] == "A·P·Q")
        #expect(try SafetensorsFile(path: path("batches1.safetensors")).tensor(named: "A")?.elementType == .float32)
    }

    @Test("a tensor of a model, and an array of NumPy")
    func sources() async throws {
        let report = try await report(
            Fixture.path("tiny-bert/model.safetensors"), "--tensor embeddings.word_embeddings.weight --energy 0.5",
            output: "embeddings.safetensors")
        #expect(report["rows"] as? Int == 104 && report["columns"] as? Int == 32)
        let error = try #require(report["relative_error"] as? Double)
        #expect(error * error <= 0.5)
        #expect(
            try SafetensorsFile(path: path("embeddings.safetensors")).tensor(named: "A")?.elementType == .float32)
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }\n"
        let numbers = [3.0, 0, 0, 2].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        try Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + numbers)
            .write(to: URL(fileURLWithPath: path("x.npy")))
        let array = try await self.report(path("x.npy"), "--rank 1", output: "x.safetensors")
        #expect(array["singular_values"] as? [Double] == [3])
    }

    @Test("bad input ends with one line, its exit code, and nothing written")
    func badInput() async throws {
        let model = Fixture.path("tiny-bert/model.safetensors")
        let tiny = try write(Self.dragon, to: "dragon.tsv")
        let broken = try write("a\tb\t1\na\tc\n", to: "broken.tsv")
        let huge = try write(
            (0..<200_000).map { "r\($0)\tc\($0)\t1\n" }.joined(), to: "huge.tsv")
        let infinite = path("infinite.safetensors")
        try SafetensorsWriter.write(
            [TensorToWrite(name: "w", shape: [2, 2], values: [1, 2, .infinity, 4])], metadata: [:], to: infinite)
        let array = try write("\u{93}NUMPY", to: "bad.npy")
        let taken = try write("kept", to: "taken")
        for (input, options, status, message) in [
            (tiny, "--rank 0", Int32(64), "rank 0"), (tiny, "--rank 3", 64, "from 1 to 2"),
            (tiny, "--sigma-above 9", 64, "no singular value"), (tiny, "--sigma-above=-1", 64, "from 0"),
            (tiny, "--energy 1.5", 64, "1.5"), (tiny, "", 64, "expected one of --rank"),
            (tiny, "--rank 1 --energy 0.5", 64, "expected one of --rank"),
            (tiny, "--energy 0.5 --method autoencoder", 64, "needs --rank"),
            (tiny, "--row-clusters 2", 64, "go together"), (tiny, "--rank 1 --derive 0", 64, "--derive"),
            (tiny, "--row-clusters 2 --column-clusters 3", 64, "rank 3"),
            (tiny, "--rank 1 --tensor x", 64, ".safetensors file only"),
            (tiny, "--rank 1 --derive 1 --derived \(taken)", 64, "exists"),
            (broken, "--rank 1", 65, "broken.tsv:2"), (huge, "--rank 1", 65, "memory"),
            (infinite, "--rank 1", 65, "row 1, column 0"), (array, "--rank 1", 65, "bad.npy"),
            (path("none.tsv"), "--rank 1", 66, "none.tsv"), (path("none.npy"), "--rank 1", 66, "none.npy"),
            (model, "--rank 1", 64, "--tensor"),
            (model, "--rank 1 --tensor embeddings.word_embedings.weight", 64, "did you mean"),
            (model, "--rank 1 --tensor embeddings.LayerNorm.bias", 65, "two dimensions"),
        ] {
            let result = try await factor(input, options, output: "none.safetensors")
            #expect(result.status == status, "\(options): \(result.standardError)")
            #expect(result.standardError.contains(message), "\(options): \(result.standardError)")
            #expect(!FileManager.default.fileExists(atPath: path("none.safetensors")), "\(options)")
        }
        let result = try await factor(tiny, "--rank 1", output: "taken", processes: 2)
        #expect(result.status == 64)
        #expect(result.standardError.split(separator: "\n").count == 1, "\(result.standardError)")
        #expect(try String(contentsOfFile: taken, encoding: .utf8) == "kept")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasSuffix("partial") })
    }
}
