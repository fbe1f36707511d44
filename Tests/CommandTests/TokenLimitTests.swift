import FixtureFiles
import Foundation
import MultiProcessTesting
import Safetensors
import Testing

@Suite("Tokens and segments that the network has no row for", .serialized)
struct TokenLimitTests {
    private let job: TinyJob

    init() throws {
        job = try TinyJob()
        try job.write("text\tlabel\na good film\tgood\na zzz film\tbad\n", to: "zzz.tsv")
    }

    /// tiny-bert, of 104 tokens, with something beside it changed.
    private func model(_ name: String, _ change: (String) throws -> Void) throws -> String {
        let folder = try job.copyModel(Fixture.path("tiny-bert"), to: name) { $0 }
        try change(folder)
        return folder
    }

    private func withVocabulary(_ lines: String) throws -> String {
        try model("vocabulary") { folder in
            try FileManager.default.removeItem(atPath: folder + "/tokenizer.json")
            try job.edit(folder + "/vocab.txt") { $0 + lines }
        }
    }

    private func predict(_ model: String, _ line: String) async throws -> JobResult {
        try await rankwise(
            "predict", "--adapter", Fixture.path("tiny-bert-adapter"), "--model", model, input: line + "\n")
    }

    private func expectRefusal(_ result: JobResult, _ message: String) {
        #expect(result.status == 65, "\(result.standardError)")
        let lines = result.standardError.split(separator: "\n")
        // Before it may stand that the base is another than that of the training.
        let others = lines.dropLast().filter { !$0.contains("not the files that") }
        #expect(others.isEmpty && lines.last?.contains(message) == true, "\(result.standardError)")
    }

    @Test(
        "do not matter where no text has them: a blank last line, a token too many", arguments: ["\n", "\n\n", "zzz\n"])
    func unused(lines: String) async throws {
        let model = try withVocabulary(lines)
        for (output, settings) in [("usual", []), ("run", ["--set", "model=\(model)"])] {
            let result = try await job.train(output, settings)
            #expect(result.status == 0, "\(result.standardError)")
        }
        #expect(try job.weights(ofAdapter: "run") == job.weights(ofAdapter: "usual"))
        let expected = try await predict(Fixture.path("tiny-bert"), "a good film")
        let found = try await predict(model, "a good film")
        #expect(found.status == 0 && found.standardOutput == expected.standardOutput)
    }

    @Test("are refused with the text's place in training, evaluation and prediction")
    func used() async throws {
        let model = try withVocabulary("zzz\n")
        let message = "the token 'zzz' has the number 104, but the word embedding of \(model) has 104 rows"
        let data = job.path + "/zzz.tsv"
        expectRefusal(
            try await job.train("run", "--set", "model=\(model)", "--set", "data.train=\(data)"),
            "zzz.tsv:3: \(message)")
        let predicted = try await predict(model, "a good film\na bad film\na zzz film\na film")
        expectRefusal(predicted, "standard input:3: \(message)")
        // Those before it are answered.
        #expect(predicted.standardOutput.split(separator: "\n").count == 2)
        // Each process tokenises a part of the rows; the first bad one is told, and once.
        let rows = (0..<90).map { "a \([40, 80].contains($0) ? "zzz" : "good") film\t\($0 % 2)\n" }
        try job.write("text\tlabel\n" + rows.joined(), to: "two.tsv")
        expectRefusal(
            try await job.train(
                "run", "--set", "model=\(model)", "--set", "data.train=\(job.path)/two.tsv", processes: 2),
            "two.tsv:42: \(message)")
        let run = try await job.train("fine")
        #expect(run.status == 0, "\(run.standardError)")
        expectRefusal(
            try await rankwise("evaluate", "--adapter", job.path + "/fine", "--model", model, "--data", data),
            "zzz.tsv:3: \(message)")
    }

    @Test("are refused before the first text where every text has them")
    func special() async throws {
        let number = try model("number") { folder in
            try job.edit(folder + "/tokenizer.json") {
                $0.replacing(/"ids":\s*\[\s*2\s*\]/, with: "\"ids\": [2000]")
            }
        }
        let segment = try model("segment") { folder in
            try job.edit(folder + "/tokenizer.json") { $0.replacing(/"type_id":\s*[01]/, with: "\"type_id\": 5") }
        }
        for (model, message) in [
            (number, "puts token 2000 around texts, but no token has this number"), (segment, "a token of segment 5"),
        ] {
            expectRefusal(try await job.train("run", "--set", "model=\(model)"), message)
            expectRefusal(try await predict(model, "a"), message)
        }
        let long = try model("long") { folder in
            try job.edit(folder + "/tokenizer.json") {
                let ids = [String](repeating: "2", count: 70).joined(separator: ",")
                return $0.replacing(/"ids":\s*\[\s*2\s*\]/, with: "\"ids\": [\(ids)]")
            }
        }
        let result = try await predict(long, "a")
        #expect(result.status == 64, "\(result.standardError)")
        #expect(result.standardError.contains("71 special tokens"))
    }

    @Test("of the second segment are refused where the model knows one")
    func segments() async throws {
        let model = try job.copyModel(
            Fixture.path("tiny-bert"), to: "one-segment",
            more: [
                TensorToWrite(
                    name: "embeddings.token_type_embeddings.weight", shape: [1, 32],
                    values: .init(repeating: 0, count: 32))
            ]
        ) { $0.contains("token_type") ? nil : $0 }
        try job.edit(model + "/config.json") {
            $0.replacingOccurrences(of: "\"type_vocab_size\": 2", with: "\"type_vocab_size\": 1")
        }
        let result = try await predict(model, #"{"text": "good", "text_pair": "bad"}"#)
        expectRefusal(result, "standard input:1: a token of segment 1, but the model in \(model) knows 1")
        let single = try await predict(model, "good")
        #expect(single.status == 0, "\(single.standardError)")
    }

    @Test("that an embedding of fewer rows than the adapter's lacks are refused, and others predicted")
    func smaller() async throws {
        let file = try SafetensorsFile(path: Fixture.path("tiny-bert/model.safetensors"))
        let name = "embeddings.word_embeddings.weight"
        let model = try job.copyModel(
            Fixture.path("tiny-bert"), to: "smaller",
            more: [
                TensorToWrite(
                    name: name, shape: [50, 32],
                    values: Array(try file.floats(of: name, shape: [104, 32])[..<(50 * 32)]))
            ]
        ) { $0 == name ? nil : $0 }
        try job.edit(model + "/config.json") {
            $0.replacingOccurrences(of: "\"vocab_size\": 104", with: "\"vocab_size\": 50")
        }
        expectRefusal(try await predict(model, "文"), "the token '文' has the number 103, but the word embedding of")
        let result = try await predict(model, "a film")
        #expect(result.status == 0, "\(result.standardError)")
    }
}
