import Diagnostics
import Testing

@testable import Training

@Suite("Overrides on the command line")
struct ConfigurationOverrideTests {
    @Test("an override wins over the file, the later over the earlier")
    func order() throws {
        let loaded = try configuration("adapter: { target_r: 5 }", "adapter.target_r=6", "adapter.target_r=7")
        #expect(loaded.adapter.targetRank == 7)
    }

    @Test("an override gives a required key that the file lacks")
    func required() throws {
        let loaded = try TrainingConfiguration(
            yaml: "", path: "run.yaml", overrides: ["model=m", "data.train=t", "output=runs/a=b"])
        #expect(loaded == TrainingConfiguration(model: "m", train: "t", output: "runs/a=b"))
    }

    @Test("the value is YAML: lists, quotes, null and nothing")
    func values() throws {
        #expect(
            try configuration("", "adapter.target_modules=[a, 'b c']").adapter.targetModules == .list(["a", "b c"]))
        #expect(try configuration("", "adapter.target_modules=all-linear").adapter.targetModules == .allLinear)
        #expect(try configuration("dropout: 0.5", "dropout=null").dropout == nil)
        #expect(try configuration("dropout: 0.5", "dropout=").dropout == nil)
    }

    @Test(
        "the message names the override",
        arguments: [
            ("adapter.target_r=x", "--set adapter.target_r=x: adapter.target_r: expected an integer, found 'x'"),
            (
                "adapter.targt_r=4",
                "--set adapter.targt_r=4: unknown key 'adapter.targt_r'; did you mean 'adapter.target_r'?"
            ),
            ("adapter.target_r", "--set adapter.target_r: expected KEY=VALUE, such as --set adapter.target_r=4"),
            ("=4", "--set =4: expected KEY=VALUE, such as --set adapter.target_r=4"),
            ("adapter={}", "--set adapter={}: 'adapter' is a section; set one of its keys, such as adapter.…=VALUE"),
            ("seed=", "--set seed=: seed: expected an integer, found null"),
            ("a\nb=1", "--set a\\nb=1: unknown key 'a\\nb'; docs/configuration.md lists the keys"),
        ])
    func message(option: String, expected: String) throws {
        let error = try refusal(of: "", option)
        #expect(error.kind == .usage)
        #expect(error.description == expected)
    }

    @Test("a value that YAML would cut at a comment is refused, and taken whole in quotes")
    func comments() throws {
        for option in ["data.text=a #b", "data.text_pair=#b", "data.text_pair= #b", "output=runs/a\t#b"] {
            #expect(try refusal(of: "", option).description.contains("comment"), "\(option)")
        }
        #expect(try configuration("", "data.text=\"a #b\"").data.text == "a #b")
        #expect(try configuration("", "data.text='#b'").data.text == "#b")
        #expect(try configuration("", "output=runs/a#b").output == "runs/a#b")
    }

    @Test("a value that is not YAML is refused without a line number")
    func syntax() throws {
        #expect(try refusal(of: "", "seed=[").description.hasPrefix("--set seed=[: not YAML: "))
    }
}
