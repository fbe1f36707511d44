import Foundation
import Safetensors

/// One safetensors file, and every element of its tensors.
struct TensorFileReader: FileReader {
    static let name = "safetensors"
    static let share = 20

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        var seeds: [Seed] = []
        for name in ["tiny-bert", "tiny-bert-float16", "tiny-bert-bfloat16"] {
            seeds.append(
                try workshop.seed(
                    name, file: "model.safetensors", copying: workshop.fixture(name), format: .safetensors))
        }
        for name in ["tiny-bert-adapter", "tiny-bert-pruned-adapter"] {
            seeds.append(
                try workshop.seed(
                    name, file: "adapter_model.safetensors", copying: workshop.fixture(name), format: .safetensors))
        }
        for (name, verdict, header, count) in Self.written {
            seeds.append(
                try workshop.seed(
                    name, file: "x.safetensors", contents: Self.file(header, dataCount: count), format: .safetensors,
                    verdict: verdict))
        }
        self.seeds = seeds
    }

    /// A file whose length is right and whose data are zeros.
    static func file(_ header: String, dataCount: Int) -> [UInt8] {
        let length = UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) } + header.utf8
            + [UInt8](repeating: 0, count: dataCount)
    }

    private static let written: [(name: String, verdict: Seed.Verdict, header: String, dataCount: Int)] = [
        ("empty", .accepted, "{}", 0),
        (
            "every-type", .accepted,
            #"{"__metadata__":{"format":"pt","a\"\u00e9\ud83d\ude00":"\n\t"},"#
                + #""d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"l":{"dtype":"I64","shape":[1,1],"data_offsets":[16,24]},"#
                + #""f":{"dtype":"F32","shape":[],"data_offsets":[24,28]},"h":{"dtype":"F16","shape":[3],"data_offsets":[28,34]},"#
                + #""b":{"dtype":"BF16","shape":[1],"data_offsets":[34,36]},"o":{"dtype":"BOOL","shape":[1],"data_offsets":[36,37]}}"#,
            37
        ),
        (
            "no-elements", .accepted,
            #"{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]},"#
                + #""b":{"dtype":"F32","shape":[1152921504606846976,0],"data_offsets":[0,0]}}"#, 0
        ),
        (
            "too-many-elements", .refused,
            #"{"a":{"dtype":"F64","shape":[4611686018427387904,2,2],"data_offsets":[0,0]}}"#, 0
        ),
        (
            "beyond-the-end", .refused,
            #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#, 8
        ),
        (
            "overlap", .refused,
            #"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#,
            8
        ),
        (
            "hole", .refused,
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}}"#,
            8
        ),
        (
            "twice", .refused,
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
            0
        ),
        ("line-breaks-in-a-name", .refused, #"{"a\n\u001b[2Jb":{"dtype":"X","shape":[0],"data_offsets":[0,0]}}"#, 0),
    ]

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        try Self.readEveryElement(of: SafetensorsFile(path: input.seed.path))
    }

    /// - Throws: ``BrokenPromise`` if a tensor has not as many bytes as its shape says.
    static func readEveryElement(of file: SafetensorsFile) throws {
        for name in file.tensorNames {
            guard let tensor = file.tensor(named: name) else {
                throw BrokenPromise("'\(name)' is listed but not there")
            }
            let bytes = file.bytes(of: tensor)
            let size = tensor.elementType.size
            guard size == 0 || bytes.count == tensor.shape.reduce(size, *) else {
                throw BrokenPromise("'\(name)' of shape \(tensor.shape) has \(bytes.count) bytes")
            }
            if let last = bytes.last, let first = bytes.first { withExtendedLifetime((first, last)) {} }
            guard [.float32, .float16, .bfloat16, .float64].contains(tensor.elementType) else { continue }
            let floats = try file.floats(of: name, shape: tensor.shape)
            guard let mapped = try file.mappedFloats(of: name, shape: tensor.shape) else { continue }
            guard mapped.elementsEqual(floats, by: { $0.bitPattern == $1.bitPattern }) else {
                throw BrokenPromise("'\(name)' is not the same mapped and copied")
            }
        }
    }
}

/// A model's tensors in several files, with the index that names the files.
struct TensorFolderReader: FileReader {
    static let name = "tensor-folder"
    static let share = 6

    /// Lies beside the folders that the index may name files of.
    private static let outside = "outside.safetensors"
    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        func shard(_ tensor: String) -> [UInt8] {
            TensorFileReader.file(#"{"\#(tensor)":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#, dataCount: 16)
        }
        func index(_ second: String) -> String {
            #"""
            {"metadata": {"total_size": 32},
             "weight_map": {"a.weight": "model-00001-of-00002.safetensors", "b.weight": "\#(second)"}}
            """#
        }
        let origin = try workshop.newFolder("origin")
        try shard("a.weight").write(to: origin + "/model-00001-of-00002.safetensors")
        try shard("b.weight").write(to: origin + "/model-00002-of-00002.safetensors")
        let good = index("model-00002-of-00002.safetensors")
        let indexName = "model.safetensors.index.json"
        try Array(good.utf8).write(to: origin + "/" + indexName)
        try shard("outside").write(to: workshop.folder + "/" + Self.outside)
        try shard("outside").write(to: workshop.folder + "/\u{301}" + Self.outside)

        var seeds = [
            try workshop.seed("index", file: indexName, copying: origin, text: good, format: .json),
            try workshop.seed(
                "shard", file: "model-00002-of-00002.safetensors", copying: origin, format: .safetensors),
        ]
        // A combining mark after the slash makes one character of both, but the system sees a slash.
        let paths = [
            "../" + Self.outside, "..\\/" + Self.outside, "\\u002e\\u002e\\u002f" + Self.outside,
            "./../" + Self.outside,
            "../\u{301}" + Self.outside, "/etc/" + Self.outside, "../" + Self.outside + "\\u0000.safetensors",
        ]
        for (number, path) in paths.enumerated() {
            seeds.append(
                try workshop.seed(
                    "path-\(number)", file: indexName, copying: origin, text: index(path), format: .json,
                    verdict: .refused))
        }
        self.seeds = seeds
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let folder = try TensorFolder(path: input.seed.folder)
        // A mutation may rename the tensor of the shard, but nothing makes the name of the file outside.
        if folder.tensor(named: "outside") != nil || folder.files.contains(where: { $0.path.contains(Self.outside) }) {
            throw BrokenPromise("a file outside the folder was read")
        }
        for file in folder.files { try TensorFileReader.readEveryElement(of: file) }
    }
}
