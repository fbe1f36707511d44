import Diagnostics
import FixtureFiles
import Foundation
import PEFTFormat
import Safetensors
import Testing

@Suite("Adapters are written")
struct WritingTests {
    private let target: Fixture.TemporaryFolder
    private var path: String { target.path + "/adapter" }

    init() throws { target = try Fixture.TemporaryFolder() }

    private func configuration() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/adapter_config.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(
        "PEFT's own pruned adapters come back with the same names, shapes and bytes",
        arguments: [prunedMiniLM, Fixture.path("tiny-bert-pruned-adapter")])
    func sameTensors(source: String) throws {
        let adapter = try Adapter(path: source)
        var task = description
        task.labels = (0..<adapter.outputCount).map { "class \($0)" }
        try adapter.write(.adalora, to: path, task: task)
        let theirs = try SafetensorsFile(path: source + "/adapter_model.safetensors")
        let ours = try SafetensorsFile(path: path + "/adapter_model.safetensors")
        #expect(ours.tensorNames == theirs.tensorNames)
        #expect(ours.metadata == theirs.metadata)
        for name in theirs.tensorNames {
            let (their, our) = (try #require(theirs.tensor(named: name)), try #require(ours.tensor(named: name)))
            #expect(their.shape == our.shape && their.elementType == our.elementType, "\(name)")
            #expect(Array(theirs.bytes(of: their)) == Array(ours.bytes(of: our)), "\(name)")
        }
        #expect(try Adapter(path: path) == adapter)
    }

    @Test("the ADALORA configuration has PEFT's keys with PEFT's values")
    func adaloraConfiguration() throws {
        let adapter = try Adapter(path: prunedMiniLM)
        try adapter.write(.adalora, to: path, task: description)
        let ours = try configuration()
        let data = try Data(contentsOf: URL(fileURLWithPath: prunedMiniLM + "/adapter_config.json"))
        let theirs = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in [
            "peft_type", "init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight",
            "total_step", "lora_alpha", "lora_dropout", "task_type", "rank_pattern", "base_model_name_or_path", "bias",
            "fan_in_fan_out",
        ] {
            let (our, their) = (try #require(ours[key] as? NSObject), try #require(theirs[key] as? NSObject))
            #expect(our == their, "\(key)")
        }
        #expect(Set(try #require(ours["target_modules"] as? [String])) == Set(adapter.settings.targetModules))
        #expect(ours["modules_to_save"] as? [String] == ["classifier"])
    }

    @Test(
        "LoRA formats keep ΔW and the head, and leave out modules of rank 0",
        arguments: [Adapter.Format.lora, .loraPadded])
    func lora(format: Adapter.Format) throws {
        let adapter = try Adapter(path: Fixture.path("tiny-bert-pruned-adapter"))
        try adapter.write(format, to: path, task: description)
        let read = try Adapter(path: path)
        let kept = adapter.modules.filter { $0.rank > 0 }
        let largest = try #require(kept.map(\.rank).max())
        #expect(kept.count < adapter.modules.count)
        #expect(read.modules.map(\.path) == kept.map(\.path))
        #expect(read.head == adapter.head)
        for (written, original) in zip(read.modules, kept) {
            #expect(written.rank == (format == .lora ? original.rank : largest))
            // Two roundings of P·λ·s in single precision, of products far below 1.
            #expect(
                largestDifference(
                    weightChange(of: written, scale: Double(read.settings.scale)),
                    weightChange(of: original, scale: Double(adapter.settings.scale))) < 1e-6, "\(original.path)")
        }
        let json = try configuration()
        #expect(json["peft_type"] as? String == "LORA")
        #expect(json["r"] as? Int == largest && json["lora_alpha"] as? Int == largest)
        #expect(json["target_modules"] as? [String] == kept.map(\.path))
        let ranks = Dictionary(uniqueKeysWithValues: kept.map { ($0.path, $0.rank) })
        #expect(json["rank_pattern"] as? [String: Int] == (format == .lora ? ranks : [:]))
        #expect(json["alpha_pattern"] as? [String: Int] == (format == .lora ? ranks : [:]))
    }

    @Test("a LoRA adapter of different ranks becomes an ADALORA adapter with the same ΔW")
    func loraToAdalora() throws {
        var tensors = AdapterFolder.loraTensors
        tensors["bert.key.lora_A.weight"] = ([1, 1], [3])
        tensors["bert.key.lora_B.weight"] = ([1, 1], [5])
        let adapter = try AdapterFolder(
            AdapterFolder.lora.with(["rank_pattern": ["key": 1], "target_modules": ".*(query|key)"]), tensors
        ).read()
        try adapter.write(.adalora, to: path, task: description)
        #expect(try Adapter(path: path).modules == adapter.modules)
        let json = try configuration()
        #expect(json["init_r"] as? Int == 2)
        #expect(
            json["rank_pattern"] as? [String: [Bool]]
                == ["bert.key.lora_E": [true, false], "bert.query.lora_E": [true, true]])
        // A list cannot hold the expression that the adapter was made with.
        #expect(json["target_modules"] as? [String] == ["bert.key", "bert.query"])
    }

    @Test("an adapter whose triplets are all gone can be written as ADALORA, and is refused as LoRA")
    func nothingKept() throws {
        let adapter = try AdapterFolder(
            AdapterFolder.adalora.with(["rank_pattern": ["bert.query.lora_E": [false, false]]]),
            AdapterFolder.adaloraTensors.with([
                "bert.query.lora_A": ([0, 3], []), "bert.query.lora_E": ([0, 1], []),
                "bert.query.lora_B": ([2, 0], []),
            ])
        ).read()
        for format in [Adapter.Format.lora, .loraPadded] {
            let error = #expect(throws: PEFTFormatError.self) {
                try adapter.write(format, to: path, task: description)
            }
            #expect(error?.kind == .usage)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        try adapter.write(.adalora, to: path, task: description)
        #expect(try Adapter(path: path) == adapter)
    }

    @Test("the same adapter gives the same bytes", arguments: Adapter.Format.allCases)
    func deterministic(format: Adapter.Format) throws {
        let adapter = try Adapter(path: prunedMiniLM)
        try adapter.write(format, to: path, task: description)
        try adapter.write(format, to: path + "2", task: description)
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["adapter_config.json", "adapter_model.safetensors", "rankwise.json"])
        for name in names {
            let same = FileManager.default.contentsEqual(atPath: "\(path)/\(name)", andPath: "\(path)2/\(name)")
            #expect(same, "\(name)")
        }
    }

    @Test("nothing is written over", arguments: Adapter.Format.allCases)
    func occupied(format: Adapter.Format) throws {
        let adapter = try Adapter(path: prunedMiniLM)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/notes"))
        for occupied in [path, path + "/notes"] {
            let error = #expect(throws: PEFTFormatError.self) {
                try adapter.write(format, to: occupied, task: description)
            }
            #expect(error?.kind == .usage)
            #expect(error?.description.contains("\(occupied): exists and is not an empty folder") == true)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["notes"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/notes")) == Data("mine".utf8))
    }

    @Test("a folder that cannot be made is a failure of output")
    func unwritable() throws {
        let adapter = try Adapter(path: prunedMiniLM)
        let error = #expect(throws: PEFTFormatError.self) {
            try adapter.write(.adalora, to: "/proc/rankwise", task: description)
        }
        #expect(error?.kind == .inputOutput)
        #expect(error?.description.contains("/proc/rankwise: cannot be created") == true)
    }
}
