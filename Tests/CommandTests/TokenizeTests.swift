import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Tokens on the command line", .serialized)
struct TokenizeTests {
    @Test("with their places, and back to text, also of tokenizers that training does not read yet")
    func offsets() async throws {
        let model = Fixture.path("tiny-bert")
        let text = "{\"text\": \"a good film\"}\n"
        let plain = try await rankwise("tokenize", "--model", model, input: text)
        let placed = try await rankwise("tokenize", "--model", model, "--offsets", input: text)
        #expect(placed.status == 0, "\(placed.standardError)")
        #expect(placed.standardOutput.hasPrefix(String(plain.standardOutput.dropLast(2))), "\(placed.standardOutput)")
        #expect(placed.standardOutput.contains("\"offsets\":[[0,0],[0,1],[2,6],[7,11],[0,0]]"))
        let back = try await rankwise("tokenize", "--model", model, "--decode", input: plain.standardOutput)
        #expect(back.standardOutput == "{\"text\":\"a good film\"}\n", "\(back.standardError)")
        let bad = try await rankwise("tokenize", "--model", model, "--decode", input: "{\"id\": 1}\n")
        #expect(bad.status == 65 && bad.standardError.contains("standard input:1:"))

        let folder = try Fixture.TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Fixture.package.path + "/Tests/TokenizationTests/Fixtures/gpt2.json",
            toPath: folder.path + "/tokenizer.json")
        let words = try await rankwise("tokenize", "--model", folder.path, "--offsets", input: text)
        #expect(words.status == 0, "\(words.standardError)")
        let ids = words.standardOutput.prefix { $0 != "]" } + "]}\n"
        let decoded = try await rankwise("tokenize", "--model", folder.path, "--decode", input: String(ids))
        #expect(decoded.standardOutput == "{\"text\":\"a good film\"}\n", "\(decoded.standardError)")
    }
}
