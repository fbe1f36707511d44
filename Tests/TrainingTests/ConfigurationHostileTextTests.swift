import Diagnostics
import Testing

@testable import Training

@Suite("Text made to break the reader", .timeLimit(.minutes(1)))
struct ConfigurationHostileTextTests {
    @Test(
        "deep nesting is refused",
        arguments: [
            String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 50_000),
            String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
            "seed: " + String(repeating: "[", count: 990) + String(repeating: "]", count: 990),
            String(repeating: "[", count: 990) + String(repeating: "]", count: 990) + ": 1",
            String(repeating: "- ? ", count: 400) + "a",
        ])
    func nesting(text: String) throws {
        #expect(try refusal(of: text).kind == .usage)
    }

    @Test("aliases that multiply are refused")
    func aliasBomb() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(
            try refusal(of: text + "? *a9\n: 1\n").description
                == "run.yaml: more than 16 aliases (*name); write the values out")
    }

    @Test("as many aliases as are allowed, nested and used as keys, are read in no time")
    func nestedAliases() throws {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...7 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(
            try refusal(of: text + "? *a7\n: 1\n").description.hasSuffix("expected the name of a key, found a list"))
    }

    @Test("a text beyond the limit is refused, and one of many keys within it is read in no time")
    func size() throws {
        #expect(try refusal(of: "#" + String(repeating: "x", count: 262_144)).description.contains("longer than"))
        let keys = (0..<20_000).map { "k\($0): 1\n" }.joined()
        #expect(try refusal(of: keys).description.hasPrefix("run.yaml:4: unknown key 'k0'"))
        let keyOfMegabytes = String(repeating: "k", count: 200_000)
        #expect(try refusal(of: "? \(keyOfMegabytes)\n: 1").description.count < 200)
    }

    @Test("no text made of YAML's own pieces traps the reader, and each is either read or refused in one line")
    func mixture() {
        let pieces = [
            "seed", "model", "adapter", "init_r", "data", ": ", ":", "\n", "\n  ", "- ", "? ", "[", "]", "{", "}", ",",
            "\"", "'", "&a ", "*a ", "!!int ", "!<x> ", "!", "|\n", ">-\n", "#", "%YAML 1.1\n", "---\n", "...\n", "1",
            "null", "~", "<<", "\t", "\u{0}", "\u{FEFF}", "é", "\\", "\\x41", "\\uD800", "@", "`", "\u{85}", "=",
        ]
        var generator = RepeatableGenerator(state: 1)
        var refused = 0
        let count = 10_000
        for _ in 0..<count {
            var text = Bool.random(using: &generator) ? requiredKeys : ""
            for _ in 0..<Int.random(in: 1...14, using: &generator) {
                text += pieces.randomElement(using: &generator) ?? ""
            }
            do throws(ConfigurationError) {
                _ = try TrainingConfiguration(yaml: text, path: "run.yaml")
            } catch {
                refused += 1
                #expect(error.kind == .usage)
                #expect(!error.description.unicodeScalars.contains { $0.properties.generalCategory == .control })
            }
        }
        // Neither all nor none: the mixture reaches both ends.
        #expect(refused > 0 && refused < count)
    }
}
