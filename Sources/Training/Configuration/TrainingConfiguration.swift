public import AdaLoRA

/// Everything that a training run is told: the YAML file, with the command line's `--set` applied.
///
/// The keys, their meaning, their limits and what a resumed run may change stand in one table, `ConfigurationField.all`;
/// the defaults are the initial values here. `docs/configuration.md` is generated from both.
public struct TrainingConfiguration: Equatable, Sendable {
    /// `model`: the folder of the pretrained model.
    public var model: String
    /// `model`, or nil for a network that is made anew.
    public var modelFolder: String? {
        get { model.isEmpty ? nil : model }
        set { model = newValue ?? "" }
    }
    /// `method`: what is trained.
    public var method = Method.adalora
    /// `task`: what the head predicts.
    public var task = Task.sequenceClassification
    /// `data`: the files and their columns.
    public var data: DataSettings
    /// `adapter`: AdaLoRA.
    public var adapter = AdapterSettings()
    /// `image`: how pixels become what an image network reads.
    public var image = ImageSettings()
    /// `superposition`: the superposition model and its data.
    public var superposition = SuperpositionSettings()
    /// `hcformer`: the shape of a new image network.
    public var hcformer = HCFormerSettings()
    /// `base_quantization`: how the pretrained network's large matrices are held.
    public var baseQuantization = BaseQuantizationSettings()
    /// `head`: the layer on top of the pretrained network.
    public var head = HeadSettings()
    /// `dropout`: the probability for the pretrained network's own dropout; `nil` leaves it as its `config.json` says.
    public var dropout: Double?
    /// `optimizer`: AdamW and the learning rate.
    public var optimizer = OptimizerSettings()
    /// `total_step`: the steps of the whole run, T in the paper.
    public var totalSteps = 500
    /// `batch_size`: samples in a step, over all processes.
    public var batchSize = 32
    /// `seed`: the key of every random number.
    public var seed = 0
    /// `gradient_lanes`: the fixed parts of a batch within which gradients are summed first.
    public var gradientLanes = 8
    /// `output`: the folder of the run.
    public var output: String
    /// `checkpoint`: when checkpoints are written and how many stay.
    public var checkpoint = CheckpointSettings()
    /// `threads`: threads of each process for large products; `nil` takes its part of the machine's cores.
    public var threads: Int?
    /// `step_timeout`: seconds without progress after which the job ends; `nil` waits forever.
    public var stepTimeout: Double? = 600
    /// `max_skipped_steps`: steps in a row whose loss or gradient is not finite, after which the run stops.
    public var maximumSkippedSteps = 10
    /// `evaluate_every`: steps between evaluations on the validation split; `nil` evaluates at the end only.
    public var evaluationInterval: Int?
    /// `log_every`: steps between progress lines where standard error is no terminal.
    public var progressInterval = 10

    /// A configuration with every other key at its default.
    ///
    /// - Parameters:
    ///   - model: the folder of the pretrained model; empty for none.
    ///   - train: the training file; empty for none.
    ///   - output: the folder of the run.
    public init(model: String = "", train: String = "", output: String) {
        self.model = model
        self.data = DataSettings(train: train)
        self.output = output
    }
}

extension TrainingConfiguration {
    /// `data`: the files and their columns.
    public struct DataSettings: Equatable, Sendable {
        /// `data.train`: the training file.
        public var train: String
        /// `data.train`, or nil for samples that are drawn.
        var trainingFile: String? {
            get { train.isEmpty ? nil : train }
            set { train = newValue ?? "" }
        }
        /// `data.validation`: the validation file, if there is one.
        public var validation: String?
        /// `data.test`: the test file, if there is one.
        public var test: String?
        /// `data.text`: the column of the text.
        public var text = "text"
        /// `data.text_pair`: the column of the second text of a pair, if texts are paired.
        public var textPair: String?
        /// `data.label`: the column of the label.
        public var label = "label"
        /// `data.max_length`: tokens of a sample, special ones included, beyond which it is truncated.
        public var maximumLength = 128
        /// `data.limit`: training samples that are used, from the first; `nil` uses all.
        public var limit: Int?
        /// `data.shuffle`: whether each epoch has its own order.
        public var shuffle = true
    }

    /// `adapter`: AdaLoRA. The comments give PEFT's key, and the paper's symbol where it has one.
    public struct AdapterSettings: Equatable, Sendable {
        /// `init_r`: triplets of each adapted module at the start.
        public var initialRank = 12
        /// `target_r`: triplets of each adapted module at the end, on average.
        public var targetRank = 4
        /// `target_total`: triplets of all modules at the end; `nil` means modules · `target_r`.
        public var targetTotal: Int?
        /// `tinit` (t_i): steps before the budget begins to fall.
        public var initialSteps = 50
        /// `tfinal` (t_f): steps at the end during which the mask stays.
        public var finalSteps = 150
        /// `deltaT` (Δ_T): steps between masking decisions.
        public var maskingInterval = 10
        /// `beta1` (β₁): smoothing of the sensitivity.
        public var sensitivitySmoothing = 0.85
        /// `beta2` (β₂): smoothing of the uncertainty.
        public var uncertaintySmoothing = 0.85
        /// `orth_reg_weight` (γ): weight of the orthogonality term.
        public var orthogonalityWeight = 0.1
        /// `orthogonality`: the form of the orthogonality term.
        public var orthogonality = Orthogonality.paper
        /// `lora_alpha`: the adapters' output is scaled by `lora_alpha / (init_r + 1e-5)`.
        public var alpha = 32.0
        /// `lora_dropout`: the probability that an input of an adapter is dropped.
        public var dropout = 0.0
        /// `target_modules`: the modules to adapt; `nil` takes those of the model's family.
        public var targetModules: ModuleNames?
        /// `exclude_modules`: modules that are not adapted, of those that `target_modules` names.
        public var excludedModules: ModuleNames?
        /// `layers_to_transform`: the layers whose modules are adapted, by number; none means all.
        public var layers: [Int] = []
        /// `modules_to_save`: modules that are trained in full and saved with the adapter.
        public var savedModules: [String] = []
        /// `importance`: the score of an entry.
        public var importance = ImportanceMeasure.ipt
        /// `sensitivity_at`: the weight that the sensitivity multiplies with the gradient.
        public var sensitivityPoint = SensitivityPoint.gradient
        /// `schedule`: the form of the budget between `tinit` and `tfinal`.
        public var budgetForm = BudgetForm.cubic
        /// `form`: how a triplet acts.
        public var form = AdapterForm.svd
        /// `compact_final`: whether masked triplets are removed after the last decision.
        public var compactsFinalPhase = false
        /// `init`: the folder of a PEFT adapter to start from; `nil` starts from random vectors.
        public var initialAdapter: String?
        /// `initialization`: what P, Λ and Q are at the start, without `init`.
        public var initialization = AdapterInitialization.normal
        /// `share`: modules that use one adapter for all of their shape, by whole name or by the end of it after a dot.
        public var sharedModules: [String] = []
        /// `normalize`: whether P and Q keep directions only; `nil` lets them be.
        public var normalization: AdapterNormalization?
        /// `max_spectral_norm`: what σ(s·PΛQ) of no module exceeds after a step; `nil` lets it.
        public var largestSpectralNorm: Double?
    }

    /// `base_quantization`: how the pretrained network's large matrices are held.
    public struct BaseQuantizationSettings: Equatable, Sendable {
        /// `bits`: of a weight; `nil` leaves the weights as they are.
        public var bits: Int?
        /// `group`: neighbours in a row that share a range.
        public var group = 64
    }

    /// `head`: the layer on top of the pretrained network.
    public struct HeadSettings: Equatable, Sendable {
        /// `initialization`: what its weight is at the start; its bias is 0.
        public var initialization = HeadInitialization.normal
    }

    /// `optimizer`: AdamW and the learning rate.
    public struct OptimizerSettings: Equatable, Sendable {
        /// `lr`: the highest learning rate.
        public var learningRate = 5e-3
        /// `weight_decay`: of everything that is trained, but for the groups below.
        public var weightDecay = 0.0
        /// `decay_mode`: how the decay enters a step.
        public var decayMode = DecayMode.decoupled
        /// `weight_decay_vectors`: of P and Q; `nil` means `weight_decay`.
        public var weightDecayOfVectors: Double?
        /// `weight_decay_values`: of Λ; `nil` means `weight_decay`.
        public var weightDecayOfValues: Double?
        /// `weight_decay_head`: of the head; `nil` means `weight_decay`.
        public var weightDecayOfHead: Double?
        /// `clip_weights`: what no trained weight exceeds after a step; `nil` lets them.
        public var largestWeight: Double?
        /// `beta1`: decay of the first moment.
        public var firstMomentDecay = 0.9
        /// `beta2`: decay of the second moment.
        public var secondMomentDecay = 0.999
        /// `epsilon`: what is added to the root of the second moment.
        public var epsilon = 1e-8
        /// `max_grad_norm`: the global gradient norm above which gradients are scaled down; `nil` never does.
        public var maximumGradientNorm: Double?
        /// `schedule`: the course of the learning rate after the warm-up.
        public var schedule = LearningRateSchedule.linear
        /// `min_lr_rate`: the share of `lr` that the schedule ends at.
        public var lowestShare = 0.0
        /// `warmup_steps`: steps over which the learning rate rises.
        public var warmUpSteps = 30
    }

    /// `checkpoint`: when checkpoints are written and how many stay.
    public struct CheckpointSettings: Equatable, Sendable {
        /// `every`: steps between checkpoints.
        public var interval = 100
        /// `keep`: the newest checkpoints that stay.
        public var kept = 3
    }
}
