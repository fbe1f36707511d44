import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Bad input ends with one line and its exit code", .serialized)
struct BadInputTests {
    private struct Case: CustomTestStringConvertible, Sendable {
        let what: String
        let settings: [String]
        let status: Int32
        let message: String
        var testDescription: String { what }
    }

    private static let cases: [Case] = [
        Case(what: "no such model folder", settings: ["model=/nowhere"], status: 66, message: "no such model folder"),
        Case(what: "no such data file", settings: ["data.train=/nowhere.tsv"], status: 66, message: "/nowhere.tsv"),
        Case(what: "an unknown key", settings: ["adapter.taget_r=3"], status: 64, message: "target_r"),
        Case(
            what: "tinit after the last decision", settings: ["adapter.tinit=16"], status: 64, message: "tinit"),
        Case(what: "target_r above init_r", settings: ["adapter.target_r=5"], status: 64, message: "target_r"),
        Case(what: "a batch smaller than the lanes", settings: ["batch_size=4"], status: 64, message: "gradient_lanes"),
        Case(
            what: "target modules that match nothing", settings: ["adapter.target_modules=[quary]"], status: 64,
            message: "'quary' matches no linear layer"),
        Case(
            what: "an output folder that cannot be written", settings: ["output=/proc/rankwise"], status: 74,
            message: "/proc/rankwise"),
        Case(what: "a column that is not there", settings: ["data.text=sentence"], status: 65, message: "sentence"),
        Case(
            what: "a longer text than the model reads", settings: ["data.max_length=65"], status: 64,
            message: "data.max_length is 65"),
        Case(
            what: "a target_total of more triplets than there are", settings: ["adapter.target_total=49"], status: 64,
            message: "target_total"),
    ]

    @Test("training settings", arguments: cases)
    private func settings(_ bad: Case) async throws {
        let job = try TinyJob()
        let result = try await rankwise(
            ["train", "--config", job.configPath] + bad.settings.flatMap { ["--set", $0] }, processes: 2)
        #expect(result.status == bad.status, "\(result.standardError)")
        let lines = result.standardError.split(separator: "\n").filter { $0.hasPrefix("rankwise:") }
        #expect(lines.count == 1, "\(result.standardError)")
        #expect(lines.first?.contains(bad.message) == true, "\(result.standardError)")
    }

    @Test("more processes than lanes")
    func tooManyProcesses() async throws {
        let job = try TinyJob()
        let result = try await job.train("run", "--set", "gradient_lanes=2", processes: 3)
        #expect(result.status == 64)
        #expect(result.standardError.contains("3 processes for 2 gradient lanes"))
    }

    @Test("an empty data file, a label outside the classes, a row with too few cells, invalid UTF-8")
    func data() async throws {
        let job = try TinyJob()
        for (name, contents, message) in [
            ("empty.tsv", Data(), "empty.tsv"),
            ("header.tsv", Data("text\tlabel\n".utf8), "header.tsv"),
            ("short.tsv", Data("text\tlabel\nfine\tgood\nonly text\n".utf8), "short.tsv:3"),
            ("utf8.tsv", Data("text\tlabel\nfine\tgood\n".utf8) + [0xFF, 0xFE, 0x0A], "utf8.tsv:3"),
        ] {
            try contents.write(to: URL(fileURLWithPath: job.folder.path + "/" + name))
            let result = try await job.train("run", "--set", "data.train=\(job.folder.path)/\(name)")
            #expect(result.status == 65, "\(name): \(result.standardError)")
            #expect(result.standardError.contains(message), "\(result.standardError)")
        }
        try job.write("text\tlabel\nfine\tgood\nfine\tsplendid\n", to: "other.tsv")
        let result = try await job.train(
            "run", "--set", "data.test=\(job.folder.path)/other.tsv", "--set", "total_step=13")
        #expect(result.status == 65)
        #expect(result.standardError.contains("other.tsv:3") && result.standardError.contains("splendid"))
    }

    @Test("a truncated or malicious model file")
    func modelFiles() async throws {
        let job = try TinyJob()
        let model = job.folder.path + "/model"
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert"), toPath: model)
        let weights = URL(fileURLWithPath: model + "/model.safetensors")
        let whole = try Data(contentsOf: weights)
        var longHeader = whole
        longHeader.replaceSubrange(0..<8, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        for (bad, message) in [
            (whole.prefix(whole.count / 2), "truncated"), (whole.prefix(3), "truncated"), (longHeader, "header"),
            (Data("not a model at all".utf8), "header"),
        ] {
            try bad.write(to: weights)
            let result = try await job.train("run", "--set", "model=\(model)")
            #expect(result.status == 65, "\(result.standardError)")
            #expect(result.standardError.contains(message), "\(result.standardError)")
        }
    }

    @Test("a folder that is no model: what is there instead, and what to do")
    func otherFolders() async throws {
        let job = try TinyJob()
        let manager = FileManager.default
        let weights = "model.safetensors"
        for (name, file, words) in [
            ("shards", "model-00001-of-00002.safetensors", "no model.safetensors.index.json"),
            ("variant", "model.fp16.safetensors", "the folder has model.fp16.safetensors"),
            ("cache", nil, "the model is in \(job.path)/cache/snapshots/1a2b"),
        ] as [(String, String?, String)] {
            let model = "\(job.path)/\(name)"
            if let file {
                try manager.copyItem(atPath: Fixture.path("tiny-bert"), toPath: model)
                try manager.moveItem(atPath: "\(model)/\(weights)", toPath: "\(model)/\(file)")
            } else {
                try manager.createDirectory(atPath: model + "/snapshots/1a2b", withIntermediateDirectories: true)
            }
            let result = try await job.train("run", "--set", "model=\(model)")
            #expect(result.status == 66)
            #expect(result.standardError.contains(words), "\(result.standardError)")
        }
        let hub = try await job.train("run", "--set", "model=google-bert/bert-base-uncased")
        #expect(hub.status == 66)
        #expect(hub.standardError.contains("hf download google-bert/bert-base-uncased"), "\(hub.standardError)")
    }

    @Test("weights that are not finite are named, wherever they show")
    func weightsNotFinite() async throws {
        let job = try TinyJob()
        let model = job.path + "/model"
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert"), toPath: model)
        let file = URL(fileURLWithPath: model + "/model.safetensors")
        var bytes = try Data(contentsOf: file)
        bytes.replaceSubrange((bytes.count - 4)..., with: [0, 0, 0xC0, 0x7F])
        try bytes.write(to: file)
        let sentence = "model/model.safetensors: tensor 'pooler.dense.weight' has values that are not finite"
        let trained = try await job.train("run", "--set", "model=\(model)")
        #expect(trained.status == 65)
        #expect(trained.standardError.contains(sentence), "\(trained.standardError)")
        let adapter = ["--adapter", job.path + "/sound", "--model", model]
        #expect(try await job.train("sound").status == 0)
        for arguments in [["predict"], ["evaluate", "--data", job.path + "/test.tsv"]] {
            let result = try await rankwise(arguments + adapter, input: "a good film")
            #expect(result.status == 65)
            #expect(result.standardError.contains(sentence), "\(result.standardError)")
        }
    }

    @Test("layers that the configuration does not count are told of", arguments: ["adalora", "full"])
    func unusedLayers(method: String) async throws {
        let job = try TinyJob()
        let model = job.path + "/model"
        try FileManager.default.copyItem(atPath: Fixture.path("tiny-bert"), toPath: model)
        let configuration = try String(contentsOfFile: model + "/config.json", encoding: .utf8)
        try job.write(
            configuration.replacing("\"num_hidden_layers\": 2", with: "\"num_hidden_layers\": 1"),
            to: "model/config.json")
        let words = "the weights have 2 layers, and config.json counts 1"
        for (folder, tells) in [(model, true), (Fixture.path("tiny-bert"), false)] {
            let result = try await job.train(
                "run", "--set", "model=\(folder)", "--set", "method=\(method)", "--dry-run")
            #expect(result.status == 0, "\(result.standardError)")
            #expect(result.standardOutput.contains(words) == tells, "\(result.standardOutput)")
        }
    }

    @Test("of the other commands")
    func commands() async throws {
        let job = try TinyJob()
        for (arguments, status) in [
            (["predict", "--adapter", "/nowhere"], Int32(66)),
            (
                [
                    "evaluate", "--adapter", Fixture.path("tiny-bert-adapter"), "--data", "/nowhere.tsv", "--model",
                    Fixture.path("tiny-bert"),
                ], 66
            ),
            (
                [
                    "evaluate", "--adapter", Fixture.path("tiny-bert-adapter"), "--data", "/nowhere.tsv", "--model",
                    "/nowhere",
                ], 66
            ),
            (["inspect", job.folder.path], 66), (["checkpoint", "list", job.folder.path], 66),
            (["allocate", "--trace", "/nowhere", "--output", "-"], 66),
            (["allocate", "--trace", Fixture.path("tiny-bert/model.safetensors"), "--output", "-"], 65),
            (["tokenize", "--model", "/nowhere"], 66), (["tokenize"], 64), (["train"], 64),
            (["train", "--config", "/nowhere.yaml"], 66), (["nonsense"], 64),
            (["export", Fixture.path("tiny-bert-adapter"), "--format", "onnx", "--output", "x"], 64),
        ] {
            let result = try await rankwise(arguments, input: "")
            #expect(result.status == status, "\(arguments): \(result.standardError)")
            #expect(!result.standardError.isEmpty, "\(arguments)")
        }
    }
}
