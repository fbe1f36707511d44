import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("rankwise weights and spectrum", .serialized)
struct WeightsTests {
    private let folder: Fixture.TemporaryFolder
    private let tiny = Fixture.path("tiny-bert/model.safetensors")

    init() throws { folder = try Fixture.TemporaryFolder() }

    private func path(_ name: String) -> String { "\(folder.path)/\(name).safetensors" }

    /// A file with a matrix of more weights than one piece has, smaller tensors of several types, and ties in its metadata.
    private func sample() throws -> String {
        var state: UInt64 = 3
        func values(_ count: Int) -> [Float] {
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
            }
        }
        let halves: [UInt16] = [0x3C00, 0xBC00, 0x4248, 0x0001, 0x7BFF, 0x0000]
        let counts: [Int64] = [1, 2, 3]
        try halves.withUnsafeBytes { halves in
            try counts.withUnsafeBytes { counts in
                try SafetensorsWriter.write(
                    [
                        TensorToWrite(name: "big.weight", shape: [600, 512], values: values(600 * 512)),
                        TensorToWrite(name: "small.weight", shape: [5, 3, 2, 2], values: values(60)),
                        TensorToWrite(name: "small.bias", shape: [5], values: values(5)),
                        TensorToWrite(name: "half.weight", elementType: .float16, shape: [2, 3], bytes: halves),
                        TensorToWrite(name: "positions", elementType: .int64, shape: [1, 3], bytes: counts),
                        TensorToWrite(name: "none.weight", shape: [0, 4], values: []),
                    ], metadata: ["format": "pt", "decoder.weight": "big.weight"], to: path("sample"))
            }
        }
        return path("sample")
    }

    private static let methods: [[String]] = [
        ["normalize"], ["spectral-normalize"], ["clip", "--limit", "0.5"], ["sparsify", "--below", "0.25"],
        ["sparsify", "--keep", "0.1"], ["quantize", "--bits", "5", "--group", "100"],
        ["quantize", "--bits", "3", "--group", "0"],
        ["initialize", "--scheme", "he", "--seed", "4"],
        ["decay", "--mode", "unit-row", "--decay", "-0.5", "--rate", "0.1"],
    ]

    @Test("write and print the same for 1 and 3 processes", arguments: methods)
    func equalBytes(method: [String]) async throws {
        let input = try sample()
        var printed: Set<String> = []
        var written: Set<Data> = []
        for processes in [nil, 3] {
            let output = path("out-\(processes ?? 1)")
            let result = try await rankwise(
                ["weights"] + method + ["--input", input, "--output", output], processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            printed.insert(result.standardOutput)
            written.insert(try Data(contentsOf: URL(fileURLWithPath: output)))
        }
        #expect(printed.count == 1 && written.count == 1)
        let before = try SafetensorsFile(path: input)
        let after = try SafetensorsFile(path: path("out-3"))
        for name in ["small.bias", "positions", "none.weight"] {
            let (old, new) = (try #require(before.tensor(named: name)), try #require(after.tensor(named: name)))
            #expect(old.elementType == new.elementType && old.shape == new.shape)
            #expect(before.bytes(of: old).elementsEqual(after.bytes(of: new)))
        }
        // The tie that the metadata tells of, to a tensor that is stored once.
        #expect(after.metadata["format"] == "pt" && after.metadata["decoder.weight"] == "big.weight")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("partial") })
    }

    @Test(
        "quantised and back, every weight is within half a step of its group; 8 bits in groups of 64 take 0.29 of float32"
    )
    func quantized() async throws {
        let input = try sample()
        for arguments in [
            ["quantize", "--input", input, "--output", path("q")],
            ["quantize", "--input", path("q"), "--output", path("q2"), "--tensors", "small.bias", "--bits", "16"],
            [
                "dequantize", "--input", path("q2"), "--output", path("d"), "--tensors", "big.*", "--tensors",
                "small.bias",
            ],
            ["dequantize", "--input", path("d"), "--output", path("e"), "--keep-type"],
        ] {
            let result = try await rankwise(["weights"] + arguments, processes: 2)
            #expect(result.status == 0, "\(result.standardError)")
        }
        let (before, after) = (try SafetensorsFile(path: input), try SafetensorsFile(path: path("e")))
        #expect(after.metadata == before.metadata && after.tensorNames.sorted() == before.tensorNames.sorted())
        for name in before.tensorNames {
            let (old, new) = (try #require(before.tensor(named: name)), try #require(after.tensor(named: name)))
            #expect(old.elementType == new.elementType && old.shape == new.shape)
        }
        let old = try before.floats(of: "big.weight", shape: [600, 512])
        let new = try after.floats(of: "big.weight", shape: [600, 512])
        for start in stride(from: 0, to: 20_000, by: 64) {
            let group = start..<start + 64
            let step = ((old[group].max() ?? 0) - (old[group].min() ?? 0)) / 255
            // Half a step, and single precision's rounding of numbers below 1.
            #expect(group.allSatisfy { abs(old[$0] - new[$0]) <= step / 2 + 1e-7 })
        }
        let small = try SafetensorsFile(path: path("q"))
        let codes = try #require(small.tensor(named: "big.weight.codes"))
        let ranges = try #require(small.tensor(named: "big.weight.ranges"))
        #expect(codes.elementType == .uint8 && codes.shape == [600, 512])
        #expect(Double(codes.count + 4 * ranges.count) / Double(4 * old.count) <= 0.29)
        // 16 bits of five numbers in [-1, 1]: a step of 2/65,535.
        let (bias, same) = (
            try before.floats(of: "small.bias", shape: [5]), try after.floats(of: "small.bias", shape: [5])
        )
        #expect(zip(bias, same).allSatisfy { abs($0 - $1) < 2e-5 })
    }

    @Test("float16 comes out as float32, or with --keep-type as float16, rounded", arguments: [false, true])
    func types(keepsType: Bool) async throws {
        let result = try await rankwise(
            [
                "weights", "clip", "--limit", "3", "--input", try sample(), "--output", path("c"), "--tensors",
                "half.weight",
            ]
                + (keepsType ? ["--keep-type"] : []))
        #expect(result.status == 0, "\(result.standardError)")
        #expect(result.standardOutput.contains(keepsType ? " F16 " : "F16→F32"))
        let file = try SafetensorsFile(path: path("c"))
        #expect(file.tensor(named: "half.weight")?.elementType == (keepsType ? .float16 : .float32))
        #expect(try file.floats(of: "half.weight", shape: [2, 3]) == [1, -1, 3, 0x1p-24, 3, 0])
    }

    @Test("a step of decay takes its gradients from a file")
    func gradients() async throws {
        let result = try await rankwise(
            "weights", "decay", "--mode", "sgd", "--decay", "0.5", "--rate", "1", "--input", tiny, "--gradients", tiny,
            "--output", path("g"), "--json")
        #expect(result.status == 0, "\(result.standardError)")
        let name = "embeddings.word_embeddings.weight"
        let before = try SafetensorsFile(path: tiny)
        let shape = try #require(before.tensor(named: name)).shape
        // w - (w + 0.5·w)
        #expect(
            try SafetensorsFile(path: path("g")).floats(of: name, shape: shape)
                == before.floats(of: name, shape: shape).map { -0.5 * $0 })
        #expect(result.standardOutput.contains("\"method\":\"decay\""))
    }

    @Test("bad input is told in one line, by the same one for 1 and 2 processes, and nothing is written or left")
    func refusals() async throws {
        let input = try sample()
        var bad = [Float](repeating: 1, count: 300_000)
        bad[299_999] = .nan
        try SafetensorsWriter.write(
            [TensorToWrite(name: "w", shape: [300, 1_000], values: bad)], metadata: [:], to: path("bad"))
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path("there")))
        let before = try Data(contentsOf: URL(fileURLWithPath: input))
        let cases: [(arguments: [String], status: Int32, message: String)] = [
            (["normalize", "--input", path("bad")], 65, "tensor 'w': nan at [299, 999]"),
            (["quantize", "--input", path("bad"), "--group", "0"], 65, "nan at [299, 999]"),
            (["sparsify", "--below", "1", "--input", path("bad")], 65, "nan at [299, 999]"),
            (
                ["normalize", "--input", input, "--tensors", "small.bias"], 65,
                "has shape [5], normalize needs a matrix"
            ),
            (["initialize", "--scheme", "he", "--input", input, "--tensors", "*.bias"], 65, "has shape [5]"),
            (["clip", "--limit", "1", "--input", input, "--tensors", "positions"], 65, "has dtype I64"),
            (["normalize", "--input", input, "--tensors", "big.wieght"], 64, "did you mean 'big.weight'?"),
            (["quantize", "--input", input, "--bits", "0"], 64, "bits are 0, expected 1 to 16"),
            (["quantize", "--input", input, "--bits", "17"], 64, "bits are 17, expected 1 to 16"),
            (["quantize", "--input", input, "--group=-1"], 64, "a group has -1 weights"),
            (["clip", "--limit=-1", "--input", input], 64, "the limit is -1.0"),
            (["sparsify", "--below", "nan", "--input", input], 64, "the threshold is nan"),
            (["sparsify", "--keep", "1.5", "--input", input], 64, "the share to keep is 1.5"),
            (["dequantize", "--input", input], 65, "no quantised tensors"),
            (["normalize", "--input", "/nowhere"], 66, "/nowhere"),
            (
                [
                    "initialize", "--scheme", "normal", "--standard-deviation", "1e6", "--keep-type", "--input", input,
                    "--tensors", "half.weight",
                ], 65, "beyond F16"
            ),
            (
                ["decay", "--mode", "sgd", "--decay", "0", "--rate", "1", "--input", input, "--gradients", tiny], 65,
                "no gradient 'big.weight'"
            ),
        ]
        for (arguments, status, message) in cases {
            // What is found in the file's header is found the same way by all; what is found in a block, by one.
            for processes in [nil, 2] where processes == nil || message.contains("nan at") || status == 66 {
                let result = try await rankwise(
                    ["weights"] + arguments + ["--output", path("out")], processes: processes)
                #expect(result.status == status, "\(arguments): \(result.standardError)")
                let lines = result.standardError.split(separator: "\n").filter { $0.hasPrefix("rankwise:") }
                #expect(
                    lines.count == 1 && lines.first?.contains(message) == true, "\(arguments): \(result.standardError)")
            }
        }
        for output in [input, path("there"), "/dev/full"] {
            let result = try await rankwise("weights", "normalize", "--input", input, "--output", output)
            #expect(result.status == 64 && result.standardError.contains("exists; nothing was written"))
        }
        let unwritable = try await rankwise("weights", "normalize", "--input", input, "--output", "/nowhere/out")
        #expect(unwritable.status == 74, "\(unwritable.standardError)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: input)) == before)
        #expect(try String(contentsOfFile: path("there"), encoding: .utf8) == "precious")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                == ["bad.safetensors", "sample.safetensors", "there.safetensors"])
        for arguments in [
            ["decay", "--mode", "adam", "--decay", "0", "--rate", "1"],
            ["decay", "--mode", "sgd", "--decay=-1", "--rate", "1"],
            ["sparsify"], ["sparsify", "--below", "1", "--keep", "1"], ["initialize", "--scheme", "best"],
        ] {
            let result = try await rankwise(["weights"] + arguments + ["--input", input, "--output", path("out")])
            #expect(result.status == 64, "\(arguments)")
        }
    }

    @Test(
        "a disk that is too small is told before anything is done, and nothing is left on it",
        .enabled(if: getuid() == 0, "mounting a small file system needs root"))
    func fullDisk() async throws {
        let disk = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let result = try await launchJob(
            executable: "/bin/bash",
            arguments: [
                "-c",
                """
                mount -t tmpfs -o size=1m tmpfs \(disk) || exit 77
                trap 'umount -l \(disk)' EXIT
                \(try builtExecutable(named: "rankwise")) weights normalize --input \(try sample()) --output \(disk)/out
                code=$?; ls -A \(disk); exit $code
                """,
            ], processCount: nil)
        guard result.status != 77 else { return }
        #expect(result.status == 74 && result.standardOutput.isEmpty, "\(result.standardOutput)")
        #expect(
            result.standardError.contains("no place for") && result.standardError.contains("No space left on device"))
    }

    @Test("statistics tell what is not finite, and write nothing")
    func statistics() async throws {
        let values: [Float] = [1, -3, 0, .nan]
        try SafetensorsWriter.write(
            [TensorToWrite(name: "v", shape: [4], values: values)], metadata: [:], to: path("v"))
        var printed: Set<String> = []
        for processes in [1, 2] {
            let result = try await rankwise(
                "weights", "statistics", "--input", path("v"), "--json", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            printed.insert(result.standardOutput)
        }
        let text = try #require(printed.first)
        #expect(printed.count == 1)
        #expect(text.contains("\"not_finite\":1") && text.contains("\"minimum\":-3") && text.contains("\"zeros\":1"))
        #expect(try await rankwise("weights", "statistics", "--input", Fixture.path("tiny-bert")).status == 0)
    }

    @Test("spectra are the same for 1 and 3 processes, of a folder too; a vector and a NaN are refused")
    func spectra() async throws {
        var printed: Set<String> = []
        for processes in [nil, 3] {
            let result = try await rankwise("spectrum", Fixture.path("tiny-bert"), "--json", processes: processes)
            #expect(result.status == 0, "\(result.standardError)")
            printed.insert(result.standardOutput)
        }
        #expect(printed.count == 1)
        #expect(printed.first?.contains("\"tensor\":\"embeddings.word_embeddings.weight\"") == true)
        let vector = try await rankwise("spectrum", tiny, "--tensors", "embeddings.LayerNorm.bias")
        #expect(vector.status == 65 && vector.standardError.contains("spectrum needs a matrix"))
        try SafetensorsWriter.write(
            [TensorToWrite(name: "w", shape: [2, 2], values: [1, .nan, 1, 1])], metadata: [:], to: path("nan"))
        let notFinite = try await rankwise("spectrum", path("nan"))
        #expect(notFinite.status == 65 && notFinite.standardError.contains("tensor 'w': element [0, 1] is nan"))
    }

    @Test(
        "the word embeddings of all-MiniLM-L6-v2 have the published geometry",
        .enabled(if: Fixture.data != nil, "needs launch/fetch-data.sh"))
    func wordEmbeddings() async throws {
        let result = try await rankwise(
            "spectrum", try #require(Fixture.data) + "/minilm/model.safetensors", "--tensors", "*word_embeddings*",
            "--json")
        #expect(result.status == 0, "\(result.standardError)")
        struct Report: Decodable {
            struct Row: Decodable {
                let overlapTimesColumns, phiHalf: Double
                let rowNorms: [Double]
            }
            let tensors: [Row]
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let row = try #require(try decoder.decode(Report.self, from: Data(result.standardOutput.utf8)).tensors.first)
        // To the digits that the figures are given with.
        #expect(abs(row.overlapTimesColumns - 3.351) <= 0.001)
        #expect(abs(row.phiHalf - 0.9404) <= 0.0005)
        #expect(zip(row.rowNorms, [0.245, 1.066, 1.694]).allSatisfy { abs($0 - $1) <= 0.0005 })
    }

    @Test(
        "tensors of types that are not computed with are copied byte by byte, and refused by name where they alone are meant"
    )
    func otherTypes() async throws {
        let bytes = (0..<24).map { UInt8($0 * 7) }
        let types: [ElementType] = [.float8e4m3, .float8e5m2, .float8e8m0, .complex64, .float4, .float6e2m3]
        try bytes.withUnsafeBytes { bytes in
            let others = types.map { type in
                let count = type == .complex64 ? 24 : type == .float4 ? 2 : type == .float6e2m3 ? 3 : 4
                return TensorToWrite(
                    name: type.rawValue, elementType: type, shape: [type == .complex64 ? 3 : 4],
                    bytes: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
            try SafetensorsWriter.write(
                others + [TensorToWrite(name: "w", shape: [2, 2], values: [1, -1, 0.25, 0])], metadata: [:],
                to: path("other"))
        }
        let result = try await rankwise(
            "weights", "clip", "--limit", "0.5", "--input", path("other"), "--output", path("clipped"))
        #expect(result.status == 0, "\(result.standardError)")
        let (before, after) = (try SafetensorsFile(path: path("other")), try SafetensorsFile(path: path("clipped")))
        #expect(try after.floats(of: "w", shape: [2, 2]) == [0.5, -0.5, 0.25, 0])
        for type in types {
            let (old, new) = (
                try #require(before.tensor(named: type.rawValue)), try #require(after.tensor(named: type.rawValue))
            )
            #expect(new.elementType == type && new.shape == old.shape)
            #expect(after.bytes(of: new).elementsEqual(before.bytes(of: old)))
        }
        let refused = try await rankwise(
            "weights", "clip", "--limit", "0.5", "--tensors", "F8_E4M3", "--input", path("other"), "--output",
            path("no"))
        #expect(refused.status == 65)
        #expect(refused.standardError.contains("tensor 'F8_E4M3' has dtype F8_E4M3, clip"), "\(refused.standardError)")
        for command in [["spectrum", path("other")], ["weights", "statistics", "--input", path("other")]] {
            let shown = try await rankwise(command)
            #expect(shown.status == 0 && shown.standardOutput.contains("w"), "\(shown.standardError)")
        }
    }
}
