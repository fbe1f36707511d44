import Diagnostics
import Testing

@testable import Training

@Suite("Contradictions between keys")
struct ConfigurationValidationTests {
    @Test(
        "each is refused with the keys, their values and what to set",
        arguments: [
            (
                "adapter: { tinit: 350 }",
                "run.yaml: adapter.tinit is 350, but must be less than total_step − adapter.tfinal = 500 − 150 = 350; lower"
                    + " adapter.tinit or adapter.tfinal, or raise total_step"
            ),
            (
                "adapter: { tinit: 0, tfinal: 1000000000 }\noptimizer: { warmup_steps: 0 }\ntotal_step: 1",
                "run.yaml: adapter.tinit is 0, but must be less than total_step − adapter.tfinal = 1 − 1000000000 ="
                    + " -999999999; lower adapter.tinit or adapter.tfinal, or raise total_step"
            ),
            (
                "adapter: { target_r: 13 }",
                "run.yaml: adapter.target_r is 13, but must not exceed adapter.init_r, which is 12; lower adapter.target_r or"
                    + " raise adapter.init_r"
            ),
            (
                "batch_size: 7",
                "run.yaml: batch_size is 7, but must be at least gradient_lanes, which is 8; raise batch_size or lower"
                    + " gradient_lanes"
            ),
            (
                "optimizer: { warmup_steps: 501 }",
                "run.yaml: optimizer.warmup_steps is 501, but must not exceed total_step, which is 500; lower"
                    + " optimizer.warmup_steps or raise total_step"
            ),
            (
                "evaluate_every: 10",
                "run.yaml: evaluate_every is 10, but data.validation is null; name the validation file or set evaluate_every"
                    + " to null"
            ),
            (
                "data.label: text",
                "run.yaml: data.text and data.label both name the column 'text'; name two different columns"
            ),
            (
                "data.text_pair: label",
                "run.yaml: data.text_pair names the column 'label', which is in use as text or label; name another column"
            ),
        ])
    func contradiction(text: String, expected: String) throws {
        let error = try refusal(of: text)
        #expect(error.kind == .usage)
        #expect(error.description == expected)
    }

    @Test(
        "the nearest values without a contradiction are accepted",
        arguments: [
            "adapter: { tinit: 349 }", "adapter: { target_r: 12 }", "batch_size: 8", "optimizer: { warmup_steps: 500 }",
            "evaluate_every: 10\ndata.validation: dev.tsv", "data.label: text2", "data.text_pair: text2",
        ])
    func border(text: String) {
        #expect(throws: Never.self) { try configuration(text) }
    }

    @Test("the total that remains is checked against the triplets of the modules, once they are known")
    func targetTotal() throws {
        let accepted = try configuration("adapter: { target_total: 432 }")
        #expect(throws: Never.self) { try accepted.validate(moduleCount: 36) }
        let refused = try configuration("adapter: { target_total: 433 }")
        let error = try #require(throws: ConfigurationError.self) { try refused.validate(moduleCount: 36) }
        #expect(error.kind == .usage)
        #expect(
            error.description
                == "adapter.target_total is 433, but 36 modules of adapter.init_r 12 have 432 triplets; set it to at most 432,"
                + " or raise adapter.init_r")
        #expect(throws: ConfigurationError.self) { try accepted.validate(moduleCount: .max) }
        #expect(throws: Never.self) { try configuration("").validate(moduleCount: 1) }
    }

    @Test("values that were changed in code are checked, too")
    func changedInCode() throws {
        var changed = try configuration("")
        #expect(throws: Never.self) { try changed.validate() }
        changed.optimizer.learningRate = .nan
        let error = try #require(throws: ConfigurationError.self) { try changed.validate() }
        #expect(error.description == "optimizer.lr: expected a number of 0 or more, found nan")
        changed.optimizer.learningRate = 1
        changed.batchSize = 1
        #expect(throws: ConfigurationError.self) { try changed.validate() }
    }
}
