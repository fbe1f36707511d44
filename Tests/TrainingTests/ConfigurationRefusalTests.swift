import Diagnostics
import Testing

@testable import Training

@Suite("Configurations that are refused")
struct ConfigurationRefusalTests {
    @Test(
        "the message says where, which key, what was expected and what was found",
        arguments: [
            ("adapter: { int_r: 4 }", "run.yaml:4: unknown key 'adapter.int_r'; did you mean 'adapter.init_r'?"),
            ("seed: 1\nsed: 2", "run.yaml:5: unknown key 'sed'; did you mean 'seed'?"),
            ("lr: 1", "run.yaml:4: unknown key 'lr'; did you mean 'optimizer.lr'?"),
            ("adapter: { deltat: 1 }", "run.yaml:4: unknown key 'adapter.deltat'; did you mean 'adapter.deltaT'?"),
            ("adaptor: { init_r: 4 }", "run.yaml:4: unknown key 'adaptor'; did you mean 'adapter'?"),
            ("zzzzzz: 1", "run.yaml:4: unknown key 'zzzzzz'; docs/configuration.md lists the keys"),
            ("<<: { seed: 1 }", "run.yaml:4: unknown key '<<'; docs/configuration.md lists the keys"),
            ("seed: 1\n\nseed: 2", "run.yaml:4: duplicate key 'seed'; give it once"),
            (
                "adapter: { init_r: 5 }\nadapter.init_r: 6",
                "run.yaml:5: duplicate key 'adapter.init_r', given at run.yaml:4; remove one"
            ),
            ("adapter:\n  init_r: abc", "run.yaml:5: adapter.init_r: expected an integer, found 'abc'"),
            ("seed: 1.5", "run.yaml:4: seed: expected an integer, found '1.5'"),
            ("seed: 1e3", "run.yaml:4: seed: expected an integer, found '1e3'"),
            ("seed: 010", "run.yaml:4: seed: expected an integer, found '010'"),
            ("seed: --1", "run.yaml:4: seed: expected an integer, found '--1'"),
            ("seed: +", "run.yaml:4: seed: expected an integer, found '+'"),
            ("seed: ١", "run.yaml:4: seed: expected an integer, found '١'"),
            ("seed: \"1\"", "run.yaml:4: seed: expected an integer, found the quoted text \"1\""),
            ("seed:", "run.yaml:4: seed: expected an integer, found null"),
            ("seed: [1]", "run.yaml:4: seed: expected an integer, found a list"),
            ("seed: { a: 1 }", "run.yaml:4: seed: expected an integer, found a mapping"),
            (
                "seed: 9223372036854775808",
                "run.yaml:4: seed: expected an integer that fits in 64 bits, found '9223372036854775808'"
            ),
            ("seed: -1", "run.yaml:4: seed: expected an integer from 0 to 9223372036854775807, found '-1'"),
            ("evaluate_every: x", "run.yaml:4: evaluate_every: expected an integer, or null, found 'x'"),
            ("dropout: x", "run.yaml:4: dropout: expected a number, or null, found 'x'"),
            (
                "dropout: 1",
                "run.yaml:4: dropout: expected a number of 0 or more and less than 1, or null, found '1'"
            ),
            ("optimizer: { lr: .nan }", "run.yaml:4: optimizer.lr: expected a number that is finite, found '.nan'"),
            ("optimizer: { lr: -.inf }", "run.yaml:4: optimizer.lr: expected a number that is finite, found '-.inf'"),
            ("optimizer: { lr: 1e999 }", "run.yaml:4: optimizer.lr: expected a number that is finite, found '1e999'"),
            ("optimizer: { lr: 0x10 }", "run.yaml:4: optimizer.lr: expected a number, found '0x10'"),
            ("optimizer: { lr: -1 }", "run.yaml:4: optimizer.lr: expected a number of 0 or more, found '-1'"),
            (
                "adapter: { orthogonality: papper }",
                "run.yaml:4: adapter.orthogonality: expected one of paper, peft, found 'papper' (did you mean 'paper'?)"
            ),
            (
                "task: ranking",
                "run.yaml:4: task: expected one of sequence-classification, regression, image-classification, superposition, found 'ranking'"
            ),
            ("adapter: 4", "run.yaml:4: adapter: expected keys with values, found '4'"),
            ("adapter: [init_r, 4]", "run.yaml:4: adapter: expected keys with values, found a list"),
            ("[seed]: 1", "run.yaml:4: expected the name of a key, found a list"),
            (
                "adapter: { target_modules: '(query' }",
                "run.yaml:4: adapter.target_modules: expected a list of names, or a regular expression, or null, found the "
                    + "quoted text \"(query\": a '(' without its ')' at character 6, which this program does not read"
            ),
            (
                "adapter: { target_modules: [query, [key]] }",
                "run.yaml:4: adapter.target_modules: expected a list of names, or a regular expression, or null, found a list"
            ),
            (
                "adapter: { target_modules: [] }",
                "run.yaml:4: adapter.target_modules: expected a list of names, or a regular expression, at least"
                    + " one, none empty, or null, found an empty list"
            ),
            (
                "adapter: { init: \"\" }",
                "run.yaml:4: adapter.init: expected text on one line, not empty, or null,"
                    + " found the quoted text \"\""
            ),
            (
                "adapter: { init: \"a\\0b\" }",
                "run.yaml:4: adapter.init: expected text on one line, not empty, or null,"
                    + " found the quoted text \"a\\x00b\""
            ),
        ])
    func message(text: String, expected: String) throws {
        let error = try refusal(of: text)
        #expect(error.kind == .usage)
        #expect(error.description == expected)
    }

    @Test(
        "a value at the limit is accepted and one beyond it is not",
        arguments: [
            ("adapter.init_r", "4", "0"), ("adapter.init_r", "65536", "65537"), ("adapter.target_r", "0", "-1"),
            ("adapter.target_total", "0", "-1"), ("adapter.tinit", "0", "-1"), ("adapter.tfinal", "0", "-1"),
            ("adapter.deltaT", "1", "0"), ("adapter.beta1", "0.001", "0"), ("adapter.beta1", "0.999", "1"),
            ("adapter.beta2", "0.001", "0"), ("adapter.beta2", "0.999", "1"), ("adapter.orth_reg_weight", "0", "-0.1"),
            ("adapter.lora_alpha", "0.1", "0"), ("adapter.lora_dropout", "0", "-0.1"),
            ("adapter.lora_dropout", "0.99", "1"), ("dropout", "0", "-0.1"), ("optimizer.lr", "0", "-1e-9"),
            ("base_quantization.bits", "4", "5"), ("base_quantization.group", "8", "7"),
            ("base_quantization.group", "66", "67"), ("optimizer.clip_weights", "0.1", "0"),
            ("adapter.max_spectral_norm", "0.1", "0"),
            ("optimizer.beta1", "0", "-0.1"), ("optimizer.beta1", "0.99", "1"),
            ("optimizer.beta2", "0", "-0.1"), ("optimizer.beta2", "0.99", "1"), ("optimizer.epsilon", "1e-30", "0"),
            ("optimizer.max_grad_norm", "0.1", "0"), ("optimizer.warmup_steps", "0", "-1"),
            ("total_step", "201", "0"), ("total_step", "1000000000", "1000000001"), ("batch_size", "8", "0"),
            ("gradient_lanes", "1", "0"), ("threads", "1", "0"), ("log_every", "1", "0"),
            ("checkpoint.every", "1", "0"), ("checkpoint.keep", "1", "0"), ("data.max_length", "3", "2"),
        ])
    func limits(key: String, inside: String, outside: String) throws {
        #expect(throws: Never.self) { try configuration("", "\(key)=\(inside)") }
        let message = try refusal(of: "", "\(key)=\(outside)").description
        #expect(message.hasPrefix("--set \(key)=\(outside): \(key): expected "))
    }

    @Test(
        "a key without which nothing can be done is missed by its name",
        arguments: [
            ("model", "model is null, but task: sequence-classification needs a pretrained model"),
            ("data.train", "data.train is null, but task: sequence-classification learns from a file"),
            ("output", "missing key 'output' ("),
        ])
    func missingKey(key: String, message: String) throws {
        let others = ["model", "data.train", "output"].filter { $0 != key }.map { "\($0): x\n" }.joined()
        let error = try #require(throws: ConfigurationError.self) {
            try TrainingConfiguration(yaml: others, path: "run.yaml")
        }
        #expect(error.kind == .usage)
        #expect(error.description.hasPrefix("run.yaml: \(message)"))
    }

    @Test("text that holds no keys misses the required one", arguments: ["", "# nothing\n", "---\n", "~", "{}"])
    func empty(text: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try TrainingConfiguration(yaml: text, path: "run.yaml")
        }
        #expect(error.description.hasPrefix("run.yaml: missing key 'output'"))
    }

    @Test(
        "text that is not YAML is refused with the line",
        arguments: [
            ("seed: [1, 2", "run.yaml:5: not YAML: did not find expected ',' or ']'"),
            ("seed: 1\n\tbatch_size: 2", "run.yaml:5: not YAML: "),
            ("seed: \"1", "run.yaml:4: not YAML: "), ("seed: *nothing", "run.yaml:4: not YAML: found undefined alias"),
            ("seed: 1\n---\nseed: 2", "run.yaml:5: not YAML: but found another document"),
            ("seed: 1\nmodel\u{1}: 2", "run.yaml:5: not YAML: control characters are not allowed"),
            ("seed: 1: 2", "run.yaml:4: not YAML: mapping values are not allowed in this context"),
        ])
    func syntax(text: String, start: String) throws {
        let error = try refusal(of: text)
        #expect(error.kind == .usage)
        #expect(error.description.hasPrefix(start))
        #expect(!error.description.contains("\n"))
    }

    @Test("a root that is not a mapping is refused", arguments: [("- a\n- b", "a list"), ("hello", "'hello'")])
    func root(text: String, found: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try TrainingConfiguration(yaml: text, path: "run.yaml")
        }
        #expect(error.description == "run.yaml:1: expected keys with values (model: …), found \(found)")
    }
}
