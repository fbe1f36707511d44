import AdaLoRA
import Diagnostics
import Foundation
import Testing

@testable import Training

@Suite("Loading a configuration")
struct ConfigurationLoadingTests {
    @Test("the required keys alone give every default of the design")
    func defaults() throws {
        let loaded = try configuration("")
        #expect(loaded == TrainingConfiguration(model: "minilm/", train: "train.tsv", output: "runs/reviews"))
        // The defaults once more, as the users' documentation has them, so that none changes unnoticed.
        let spelled = try configuration(
            """
            task: sequence-classification
            adapter: { init_r: 12, target_r: 4, target_total: null, tinit: 50, tfinal: 150, deltaT: 10, beta1: 0.85,
                       beta2: 0.85, orth_reg_weight: 0.1, orthogonality: paper, lora_alpha: 32, lora_dropout: 0.0,
                       target_modules: null, exclude_modules: null, layers_to_transform: [], modules_to_save: [],
                       importance: ipt, sensitivity_at: gradient, schedule: cubic, init: null }
            dropout: null
            optimizer: { lr: 5e-3, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, max_grad_norm: null,
                         schedule: linear, warmup_steps: 30 }
            total_step: 500
            batch_size: 32
            seed: 0
            gradient_lanes: 8
            checkpoint: { every: 100, keep: 3 }
            threads: null
            evaluate_every: null
            log_every: 10
            """)
        #expect(spelled == loaded)
        let data = try TrainingConfiguration(
            yaml: """
                model: minilm/
                output: runs/reviews
                data: { train: train.tsv, validation: null, test: null, text: text, text_pair: null, label: label,
                        max_length: 128, shuffle: true }
                """, path: "run.yaml")
        #expect(data == loaded)
    }

    @Test("every key reaches the property that its name stands for")
    func everyKey() throws {
        let loaded = try TrainingConfiguration(
            yaml: """
                model: m
                task: regression
                data: { train: a, validation: b, test: c, text: d, text_pair: e, label: f, max_length: 64, shuffle: no }
                adapter:
                  init_r: 8
                  target_r: 3
                  target_total: 100
                  tinit: 6
                  tfinal: 12
                  deltaT: 4
                  beta1: 0.7
                  beta2: 0.6
                  orth_reg_weight: 0.5
                  orthogonality: peft
                  lora_alpha: 16
                  lora_dropout: 0.25
                  target_modules:
                    - query
                    - "key"
                  importance: magnitude
                  sensitivity_at: update
                  schedule: printed
                  init: start/
                  initialization: xavier
                  share: [key]
                  normalize: unit
                  max_spectral_norm: 2
                head: { initialization: he }
                base_quantization: { bits: 8, group: 32 }
                dropout: 0
                optimizer: { lr: 1e-3, weight_decay: 0.01, decay_mode: l2, weight_decay_vectors: 0.1, weight_decay_values: 0.2,
                             weight_decay_head: 0.3, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, max_grad_norm: 1,
                             schedule: cosine, warmup_steps: 4 }
                total_step: 44
                batch_size: 16
                seed: 7
                gradient_lanes: 4
                output: o
                checkpoint: { every: 11, keep: 2 }
                threads: 2
                evaluate_every: 22
                log_every: 5
                """, path: "run.yaml")
        var expected = TrainingConfiguration(model: "m", train: "a", output: "o")
        expected.task = .regression
        expected.data = .init(
            train: "a", validation: "b", test: "c", text: "d", textPair: "e", label: "f", maximumLength: 64,
            shuffle: false)
        expected.adapter = .init(
            initialRank: 8, targetRank: 3, targetTotal: 100, initialSteps: 6, finalSteps: 12, maskingInterval: 4,
            sensitivitySmoothing: 0.7, uncertaintySmoothing: 0.6, orthogonalityWeight: 0.5, orthogonality: .peft,
            alpha: 16, dropout: 0.25, targetModules: .list(["query", "key"]), importance: .magnitude,
            sensitivityPoint: .update, budgetForm: .printed, initialAdapter: "start/")
        expected.adapter.initialization = .xavier
        expected.adapter.sharedModules = ["key"]
        expected.adapter.normalization = .unit
        expected.adapter.largestSpectralNorm = 2
        expected.head.initialization = .he
        expected.baseQuantization = .init(bits: 8, group: 32)
        expected.dropout = 0
        expected.optimizer = .init(
            learningRate: 1e-3, weightDecay: 0.01, firstMomentDecay: 0.8, secondMomentDecay: 0.99, epsilon: 1e-6,
            maximumGradientNorm: 1, schedule: .cosine, warmUpSteps: 4)
        expected.optimizer.decayMode = .l2
        expected.optimizer.weightDecayOfVectors = 0.1
        expected.optimizer.weightDecayOfValues = 0.2
        expected.optimizer.weightDecayOfHead = 0.3
        expected.totalSteps = 44
        expected.batchSize = 16
        expected.seed = 7
        expected.gradientLanes = 4
        expected.checkpoint = .init(interval: 11, kept: 2)
        expected.threads = 2
        expected.evaluationInterval = 22
        expected.progressInterval = 5
        #expect(loaded == expected)
    }

    @Test("a file is read from its path")
    func file() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "run.yaml").path
            // A byte order mark and Windows line ends are as good as none.
            try ("\u{FEFF}" + requiredKeys + "seed: 3\n").replacing("\n", with: "\r\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try TrainingConfiguration.load(path: path) == configuration("seed: 3"))
        }
    }

    @Test("a file that does not exist and a folder are missing input")
    func missingFile() throws {
        try withTemporaryFolder { folder in
            for path in [folder.appending(path: "none.yaml").path, folder.path] {
                let error = try #require(throws: ConfigurationError.self) {
                    try TrainingConfiguration.load(path: path)
                }
                #expect(error.kind == .missingInput)
                #expect(error.description.hasPrefix("\(path): the configuration cannot be read ("))
                #expect(!error.description.contains("\n"))
            }
        }
    }

    @Test("a device without end is refused, not read for ever")
    func endlessFile() throws {
        let error = try #require(throws: ConfigurationError.self) { try TrainingConfiguration.load(path: "/dev/zero") }
        #expect(error.kind == .usage)
        #expect(error.description.contains("longer than 262144 bytes"))
    }

    @Test("a file that is not UTF-8 is refused")
    func notUnicode() throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try Data([0x6D, 0x3A, 0xFF, 0xFE]).write(to: file)
            let error = try #require(throws: ConfigurationError.self) {
                try TrainingConfiguration.load(path: file.path)
            }
            #expect(error.kind == .usage)
            #expect(error.description.contains("not UTF-8"))
        }
    }

    @Test("a section that is empty or whose keys are commented out leaves its defaults")
    func emptySection() throws {
        #expect(try configuration("adapter:\n  # init_r: 8\noptimizer: {}\n") == configuration(""))
    }

    @Test("a key may be written with its section, as on the command line")
    func dottedKey() throws {
        #expect(try configuration("adapter.init_r: 9").adapter.initialRank == 9)
    }

    @Test("an alias stands for the value of its anchor")
    func alias() throws {
        let loaded = try configuration("total_step: &steps 900\nevaluate_every: null\nlog_every: *steps")
        #expect(loaded.progressInterval == 900)
    }

    @Test("a text key takes words that YAML has other meanings for, null only in quotes")
    func textKeys() throws {
        #expect(try configuration("", "data.text=1", "data.label=yes").data.text == "1")
        #expect(try configuration("", "data.text='null'").data.text == "null")
        #expect(try refusal(of: "", "data.text=null").description.hasSuffix("expected text, found null"))
    }

    @Test(
        "a number may be written in each common way",
        arguments: [("5e-3", 0.005), ("5E-3", 0.005), ("1", 1), ("+.5", 0.5), ("0.", 0), ("1.5e+2", 150)])
    func numbers(text: String, value: Double) throws {
        #expect(try configuration("", "optimizer.lr=\(text)").optimizer.learningRate == value)
    }
}
