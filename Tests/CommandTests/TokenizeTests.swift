import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Tokenize command")
struct TokenizeTests {
    /// A folder with one of the pipelines' tokenizers.
    private func model(_ name: String) throws -> (folder: Fixture.TemporaryFolder, path: String) {
        let folder = try Fixture.TemporaryFolder()
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("TokenizationTests/Fixtures/\(name).json")
        try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: folder.path + "/tokenizer.json"))
        return (folder, folder.path)
    }

    @Test("ids become the text that they were made of, and offsets say where in it each lies")
    func roundTrip() async throws {
        let (folder, path) = try model("llama2-v4")
        defer { withExtendedLifetime(folder) {} }
        let input = #"{"text": "A b\u00e9 \u4e2d"}"# + "\n"
        let encoded = try await rankwise("tokenize", "--model", path, "--offsets", input: input)
        #expect(encoded.status == 0, "\(encoded.standardError)")
        struct Line: Decodable {
            let ids: [Int]
            let offsets: [[Int]]
        }
        let line = try JSONDecoder().decode(Line.self, from: Data(encoded.standardOutput.utf8))
        #expect(line.ids.count == line.offsets.count)
        #expect(line.offsets.first == [0, 0] && line.offsets.last == [5, 6])
        let decoded = try await rankwise(
            "tokenize", "--model", path, "--decode", input: #"{"ids": \#(line.ids)}"# + "\n")
        #expect(decoded.standardOutput == #"{"text":"A bé 中"}"# + "\n")
    }

    @Test("a pair that is too long is cut, and a line that is no object is named")
    func lengths() async throws {
        let path = Fixture.path("tiny-bert")
        let input = #"{"text": "a a a a a a", "text_pair": "a a"}"# + "\n"
        let cut = try await rankwise("tokenize", "--model", path, "--max-length", "7", input: input)
        #expect(cut.standardOutput.split(separator: ",").count == 7, "\(cut.standardOutput)")
        let wrong = try await rankwise("tokenize", "--model", path, "--decode", input: "7\n")
        #expect(wrong.status == 65 && wrong.standardError.contains("standard input:1: \"7\", expected a JSON object"))
        #expect(try await rankwise("tokenize", "--model", path, "--decode", "--offsets", input: "").status == 64)
    }

    @Test("a file's lines are tokenised and timed")
    func benchmark() async throws {
        let (folder, path) = try model("gpt2")
        defer { withExtendedLifetime(folder) {} }
        try Data("a good film\n\nit is\n".utf8).write(to: URL(fileURLWithPath: path + "/texts.txt"))
        let result = try await rankwise(
            "bench", "tokenize", "--model", path, "--texts", path + "/texts.txt", "--rounds", "2", "--json")
        let figures = try #require(
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8)) as? [String: Any])
        #expect(figures["texts"] as? Int == 2 && (figures["tokens"] as? Int ?? 0) >= 5)
        #expect((figures["idsSeconds"] as? Double ?? 0) > 0 && (figures["offsetsSeconds"] as? Double ?? 0) > 0)
        let missing = try await rankwise("bench", "tokenize", "--model", path, "--texts", path + "/none.txt")
        #expect(missing.status == 66)
    }
}
