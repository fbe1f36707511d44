import AdaLoRA
import Diagnostics
import Testing

@testable import Training

@Suite("A configuration as text")
struct ConfigurationTextTests {
    @Test("the resolved text has every key, sections in the order of the reference")
    func resolved() throws {
        let expected = """
            model: minilm/
            method: adalora
            task: sequence-classification
            output: runs/reviews
            total_step: 500
            batch_size: 32
            dropout: null
            seed: 0
            gradient_lanes: 8
            threads: null
            step_timeout: 600
            max_skipped_steps: 10
            evaluate_every: null
            log_every: 10
            data:
              train: train.tsv
              validation: null
              test: null
              text: text
              text_pair: null
              label: label
              max_length: 128
              limit: null
              shuffle: true
            image:
              size: null
              scale: 255
              mean: 0
              std: 1
              crop: 0
              flip: false
            hcformer:
              size: nano
              patch_size: null
              depths: null
              hidden_sizes: null
              num_attention_heads: null
              head_dim: null
              mlp_ratios: null
              windows: null
              patch_centers: null
              window_centers: null
              curvature: 1
              layer_scale_init_value: 1.0e-05
            superposition:
              n: 1000
              m: 100
              alpha: 1
              bias: normal
              evaluation_samples: 100000
            base_quantization:
              bits: null
              group: 64
            adapter:
              init_r: 12
              target_r: 4
              target_total: null
              tinit: 50
              tfinal: 150
              deltaT: 10
              beta1: 0.85
              beta2: 0.85
              orth_reg_weight: 0.1
              orthogonality: paper
              lora_alpha: 32
              lora_dropout: 0
              target_modules: null
              exclude_modules: null
              layers_to_transform: []
              modules_to_save: []
              importance: ipt
              sensitivity_at: gradient
              schedule: cubic
              form: svd
              compact_final: false
              init: null
              initialization: normal
              share: []
              normalize: null
              max_spectral_norm: null
            head:
              initialization: normal
            optimizer:
              lr: 0.005
              weight_decay: 0
              decay_mode: decoupled
              weight_decay_vectors: null
              weight_decay_values: null
              weight_decay_head: null
              clip_weights: null
              beta1: 0.9
              beta2: 0.999
              epsilon: 1.0e-08
              max_grad_norm: null
              schedule: linear
              min_lr_rate: 0
              warmup_steps: 30
            checkpoint:
              every: 100
              keep: 3

            """
        #expect(try configuration("").resolvedYAML == expected)
    }

    @Test("the resolved text loads back to an equal configuration, whatever the values")
    func roundTrip() throws {
        var generator = RepeatableGenerator(state: 7)
        for _ in 0..<2_000 {
            let original = TrainingConfiguration.random(using: &generator)
            try original.validate()
            let text = original.resolvedYAML
            let loaded = try TrainingConfiguration(resolvedYAML: text, path: "resolved.yaml")
            #expect(loaded == original)
            #expect(loaded.resolvedYAML == text)
            #expect(loaded.differences(from: original).isEmpty)
        }
    }

    @Test(
        "text that is no plain name is quoted and comes back",
        arguments: [
            ("null", "\"null\""), ("Yes", "\"Yes\""), ("1e3", "\"1e3\""), ("-", "\"-\""), (".5", "\".5\""),
            ("a b", "\"a b\""), ("a: #b", "\"a: #b\""), ("say \"hi\"\\", "\"say \\\"hi\\\"\\\\\""),
            ("größe", "\"größe\""),
            ("zero\u{200B}width", "\"zero\\u200Bwidth\""), ("\u{10FFFF}", "\"\\U0010FFFF\""),
            ("a\u{A0}b", "\"a\\xA0b\""),
            ("*a", "\"*a\""), ("文.tsv", "\"文.tsv\""), ("a/b-c_d.e", "a/b-c_d.e"),
        ])
    func quoting(text: String, expected: String) throws {
        #expect(text.yamlText == expected)
        var original = try configuration("")
        original.output = text
        #expect(try TrainingConfiguration(resolvedYAML: original.resolvedYAML, path: "resolved.yaml") == original)
    }

    @Test("a stored text that is damaged is bad data, and one without a later key has the default")
    func stored() throws {
        let text = try configuration("").resolvedYAML
        let older = text.replacing("log_every: 10\n", with: "")
        #expect(try TrainingConfiguration(resolvedYAML: older, path: "resolved.yaml") == configuration(""))
        for damaged in [text.replacing("seed: 0", with: "seed: x"), text + "later: 1\n", String(text.dropFirst(20))] {
            let error = try #require(throws: ConfigurationError.self) {
                try TrainingConfiguration(resolvedYAML: damaged, path: "resolved.yaml")
            }
            #expect(error.kind == .badData)
            #expect(error.description.hasPrefix("resolved.yaml"))
        }
    }

    @Test("differences are the fixed keys that differ, in order; the free ones and the paths of model and data are not")
    func differences() throws {
        let here = try configuration("seed: 1\nadapter: { target_r: 3, target_total: 9 }")
        let there = try configuration(
            "log_every: 7\ncheckpoint: { every: 5, keep: 1 }\nevaluate_every: 3", "data.validation=v",
            "data.test=t", "model=elsewhere", "data.train=moved.tsv", "output=other")
        #expect(
            here.differences(from: there) == [
                ConfigurationDifference(key: "seed", here: "1", there: "0"),
                ConfigurationDifference(key: "adapter.target_r", here: "3", there: "4"),
                ConfigurationDifference(key: "adapter.target_total", here: "9", there: "null"),
            ])
        #expect(try there.differences(from: configuration("")).isEmpty)
        #expect(try there.digestText == configuration("").digestText)
        #expect(try here.digestText != configuration("").digestText)
    }

    @Test("the keys that a resumed run may change are these and no others")
    func freeKeys() {
        func keys(_ rule: ConfigurationField.ResumeRule) -> [String] {
            ConfigurationField.all.filter { $0.resume == rule }.map(\.key)
        }
        #expect(keys(.byDigest) == ["model", "data.train"])
        #expect(
            keys(.free) == [
                "output", "threads", "step_timeout", "max_skipped_steps", "evaluate_every", "log_every",
                "data.validation", "data.test", "checkpoint.every",
                "checkpoint.keep",
            ])
    }
}

extension TrainingConfiguration {
    /// A configuration without contradictions, each value anywhere within its limits.
    static func random(using generator: inout RepeatableGenerator) -> Self {
        func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        func number(_ range: Range<Double>) -> Double {
            // Now and then a very small one, whose digits need an exponent.
            let value = Double.random(in: range, using: &generator)
            return integer(0...3) == 0 ? max(range.lowerBound, value * 1e-200) : value
        }
        func fraction() -> Double { max(.leastNonzeroMagnitude, number(0..<1)) }
        func text() -> String {
            let scalars = "aZ09_./-:#'\"\\ ,[]{}&*!|>%@`~=?é文😀\u{200B}\u{A0}\u{2028}\u{E000}\u{FEFF}\u{301}"
                .unicodeScalars
            var text = String.UnicodeScalarView()
            for _ in 0...integer(0...9) { text.append(scalars.randomElement(using: &generator) ?? "a") }
            if text.first == "\u{FEFF}" { text.insert("b", at: text.startIndex) }
            return String(text)
        }
        func perhaps<Value>(_ value: Value) -> Value? { integer(0...1) == 0 ? nil : value }

        var one = TrainingConfiguration(model: text(), train: text(), output: text())
        one.task = Task.allCases.randomElement(using: &generator) ?? .regression
        one.data.validation = perhaps(text())
        one.data.test = perhaps(text())
        one.data.text = "t" + text()
        one.data.textPair = perhaps("p" + text())
        one.data.label = "l" + text()
        one.data.maximumLength = integer(3...4096)
        one.data.shuffle = integer(0...1) == 0
        one.totalSteps = integer(2...1_000_000_000)
        one.adapter.finalSteps = integer(0...(one.totalSteps - 1))
        one.adapter.initialSteps = integer(0...(one.totalSteps - one.adapter.finalSteps - 1))
        one.adapter.maskingInterval = integer(1...100)
        one.adapter.initialRank = integer(1...65_536)
        one.adapter.targetRank = integer(0...one.adapter.initialRank)
        one.adapter.targetTotal = perhaps(integer(0...Int.max))
        one.adapter.sensitivitySmoothing = fraction()
        one.adapter.uncertaintySmoothing = fraction()
        one.adapter.orthogonalityWeight = number(0..<1e300)
        one.adapter.orthogonality = Orthogonality.allCases.randomElement(using: &generator) ?? .peft
        one.adapter.alpha = fraction() * 64
        one.adapter.dropout = number(0..<1)
        one.adapter.targetModules =
            [nil, .list((0...integer(0...4)).map { _ in text() }), .expression(".*query")]
            .randomElement(using: &generator) ?? nil
        one.adapter.excludedModules = [nil, .list([text()])].randomElement(using: &generator) ?? nil
        one.adapter.layers = (0..<integer(0...3)).map { _ in integer(0...40) }
        if one.task != .imageClassification {
            one.adapter.savedModules = (0..<integer(0...2)).map { _ in text() }
        }
        one.adapter.importance = ImportanceMeasure.allCases.randomElement(using: &generator) ?? .ipt
        one.adapter.sensitivityPoint = SensitivityPoint.allCases.randomElement(using: &generator) ?? .update
        one.adapter.budgetForm = BudgetForm.allCases.randomElement(using: &generator) ?? .printed
        one.adapter.initialAdapter = perhaps(text())
        one.adapter.sharedModules = (0..<integer(0...2)).map { _ in text() }
        one.adapter.largestSpectralNorm = perhaps(fraction())
        one.head.initialization = HeadInitialization.allCases.randomElement(using: &generator) ?? .he
        one.superposition.features = integer(1...4_096)
        one.superposition.hidden = integer(1...65_536)
        one.superposition.exponent = number(0..<100)
        one.superposition.bias = SuperpositionSettings.Bias.allCases.randomElement(using: &generator) ?? .zero
        one.superposition.evaluationSamples = integer(1...1_000_000_000)
        one.optimizer.lowestShare = number(0..<1)
        if one.task != .imageClassification { one.baseQuantization.bits = perhaps(4 * integer(1...2)) }
        one.data.limit = perhaps(integer(1...Int.max))
        one.image.side = perhaps(integer(1...4_096))
        one.image.scale = fraction()
        one.image.mean = number(-5..<5)
        one.image.deviation = fraction()
        one.image.margin = integer(0...64)
        one.image.flips = integer(0...1) == 0
        one.hcformer.depths = perhaps((0...integer(0...4)).map { _ in integer(-5...1_000) })
        one.hcformer.windows = perhaps([])
        one.hcformer.curvature = fraction()
        one.hcformer.layerScale = number(0..<1)
        one.baseQuantization.group = 2 * integer(4...32_768)
        one.optimizer.decayMode = DecayMode.allCases.randomElement(using: &generator) ?? .l2
        one.optimizer.weightDecayOfVectors = perhaps(number(0..<1))
        one.optimizer.weightDecayOfHead = perhaps(number(0..<1))
        if one.optimizer.decayMode != .unitRow { one.optimizer.weightDecayOfValues = perhaps(number(0..<1)) }
        if integer(0...1) == 0 {
            one.adapter.normalization = .unit
        } else {
            one.optimizer.largestWeight = perhaps(fraction())
        }
        one.dropout = perhaps(number(0..<1))
        one.optimizer.learningRate = number(0..<1e20)
        one.optimizer.weightDecay = number(0..<1)
        one.optimizer.firstMomentDecay = number(0..<1)
        one.optimizer.secondMomentDecay = number(0..<1)
        one.optimizer.epsilon = fraction()
        one.optimizer.maximumGradientNorm = perhaps(fraction())
        one.optimizer.schedule = LearningRateSchedule.allCases.randomElement(using: &generator) ?? .cosine
        one.optimizer.warmUpSteps = integer(0...one.totalSteps)
        one.gradientLanes = integer(1...4096)
        one.batchSize = integer(one.gradientLanes...1_048_576)
        one.seed = integer(0...Int.max)
        one.checkpoint.interval = integer(1...1_000_000)
        one.checkpoint.kept = integer(1...1000)
        one.threads = perhaps(integer(1...1024))
        one.evaluationInterval = one.data.validation == nil ? nil : perhaps(integer(1...1_000_000_000))
        one.progressInterval = integer(1...1_000_000_000)
        if one.task == .superposition {
            one.method = .full
            one.modelFolder = nil
            one.data = DataSettings(train: "")
            one.dropout = nil
            one.baseQuantization.bits = nil
            one.adapter = AdapterSettings()
            one.optimizer.weightDecayOfVectors = nil
            one.optimizer.weightDecayOfValues = nil
            one.optimizer.weightDecayOfHead = nil
        }
        return one
    }
}
