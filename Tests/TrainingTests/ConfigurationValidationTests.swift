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
            (
                "adapter: { init: a, initialization: svd }",
                "run.yaml: adapter.initialization is svd, but adapter.init names 'a' to start from; set one of them to its"
                    + " default"
            ),
            (
                "optimizer: { weight_decay_head: -0.5, decay_mode: l2 }",
                "run.yaml: optimizer.weight_decay_head is -0.5, but optimizer.decay_mode is l2; below 0, which grows rows"
                    + " towards unit norm, it needs decay_mode unit-row"
            ),
            (
                "optimizer: { weight_decay_values: 0.5, decay_mode: unit-row }",
                "run.yaml: optimizer.weight_decay_values is 0.5, but optimizer.decay_mode unit-row is for rows, which a λ is"
                    + " not; set it to null"
            ),
            (
                "optimizer: { clip_weights: 0.5 }\nadapter: { normalize: unit }",
                "run.yaml: optimizer.clip_weights is 0.5, but adapter.normalize unit may stretch what was clipped; set one of"
                    + " them to null"
            ),
            (
                "adapter: { max_spectral_norm: 2, initialization: svd-minor }",
                "run.yaml: adapter.max_spectral_norm is 2, but with adapter.initialization svd-minor ΔW is no multiple of Λ;"
                    + " set max_spectral_norm to null"
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
            "evaluate_every: 10\ndata.validation: dev.tsv", "optimizer: { weight_decay: -1, decay_mode: unit-row }",
            "adapter: { normalize: unit, initialization: svd }", "adapter: { max_spectral_norm: 2, normalize: unit }",
            "data.label: text2", "data.text_pair: text2",
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
