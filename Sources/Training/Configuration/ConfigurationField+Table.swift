import Models

extension ConfigurationField {
    /// Every key, in the order in which the configuration is printed and documented.
    static let all =
        run + data + image + hcformer + superposition + baseQuantization + adapter + head + optimizer + checkpoint

    /// Every key by its name.
    static let byKey = Dictionary(all.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// The sections in the order of the table, with what each is about. The top level has no name.
    static let sections: [(name: String, title: String)] = [
        ("", "The run"), ("data", "Data"), ("image", "Images"), ("hcformer", "A new HCFormer"),
        ("superposition", "The superposition model"),
        ("base_quantization", "Frozen weights"), ("adapter", "AdaLoRA"), ("head", "Head"),
        ("optimizer", "Optimiser"),
        ("checkpoint", "Checkpoints"),
    ]

    private static let run: [ConfigurationField] = [
        .init(
            "model", \.modelFolder, limits: .orNull(.path), resume: .byDigest,
            "Folder of the pretrained model: `config.json`, `model.safetensors`, and for texts `tokenizer.json` or the"
                + " older files of a tokenizer. What a head needs and the folder lacks is new, trained and saved: a"
                + " pooler, for instance. Null makes a new network, as the section `hcformer` or `superposition` says."),
        .init(
            "method", \.method,
            "What is trained. `adalora`: adapters whose ranks share one falling budget. `lora`: adapters of"
                + " the fixed rank `adapter.init_r`. `full`: every parameter. `head`: a head alone. The head is a"
                + " new one, unless the model has one that fits."),
        .init(
            "task", \.task,
            "What the head predicts. Of a text: one of a set of labels (`sequence-classification`), or a"
                + " number (`regression`). Of an image: one of a set of classes. `superposition` trains that model"
                + " on samples that it draws."),
        .init(
            "output", \.output, limits: .path, isRequired: true, resume: .free,
            "Folder of the run: metrics, checkpoints and, at the end, `adapter/` or `model/`. A leading `~`"
                + " is the home folder."),
        .init("total_step", \.totalSteps, limits: .steps(atLeast: 1), "Steps of the whole run."),
        .init(
            "batch_size", \.batchSize, limits: .range(1...1_048_576),
            "Samples in a step, over all processes together: 32 on 4 processes are 8 for each."),
        .init(
            "dropout", \.dropout, limits: .orNull(.zeroToBelowOne),
            "Probability of the pretrained network's own dropout. Null leaves what its `config.json` says; 0"
                + " switches it off."),
        .init(
            "seed", \.seed, limits: .range(0...Int.max),
            "Seed of every random number of the run."),
        .init(
            "gradient_lanes", \.gradientLanes, limits: .range(1...4096),
            "Fixed parts of a batch within which gradients are summed first, so that the result does not"
                + " depend on the number of processes. A run can use at most so many processes; for 16, set it to 16"
                + " before the first step."),
        .init(
            "threads", \.threads, limits: .orNull(.range(1...1024)), resume: .free,
            "Threads that each process uses for large products, with the same bits for any number. Null takes"
                + " the process's share of the machine's cores; with 4 processes on 16 cores that is 4."),
        .init(
            "step_timeout", \.stepTimeout, limits: .orNull(.positive), resume: .free,
            "Seconds without progress, in a step or a part of an evaluation, after which a process says where"
                + " it waits and the job ends. Null waits forever."),
        .init(
            "max_skipped_steps", \.maximumSkippedSteps, limits: .range(1...1_000_000), resume: .free,
            "How many steps in a row may be left out because their loss or gradient is not finite, before the"
                + " run stops."
        ),
        .init(
            "evaluate_every", \.evaluationInterval, limits: .orNull(.steps(atLeast: 1)), resume: .free,
            "Steps between evaluations on the validation split. Null evaluates at the end only."),
        .init(
            "log_every", \.progressInterval, limits: .steps(atLeast: 1), resume: .free,
            "Steps between progress lines where standard error is no terminal. The metrics file has every"
                + " step."),
    ]

    private static let data: [ConfigurationField] = [
        .init(
            "data.train", \.data.trainingFile, limits: .orNull(.path), resume: .byDigest,
            "Training file. Texts: tab-separated (`.tsv`, without quoting), comma-separated (`.csv`) or JSON"
                + " Lines (`.jsonl`). Images: IDX with the labels' file beside it, or CSV, gzipped or not."),
        .init(
            "data.validation", \.data.validation, limits: .orNull(.path), resume: .free,
            "Validation file, checked before the first step; evaluated at the end, and as `evaluate_every`"
                + " says."),
        .init(
            "data.test", \.data.test, limits: .orNull(.path), resume: .free,
            "Test file, checked before the first step, and evaluated at the end. Its labels must be those of"
                + " the training; null for a file without labels."),
        .init("data.text", \.data.text, limits: .name, "Column of the text."),
        .init(
            "data.text_pair", \.data.textPair, limits: .orNull(.name),
            "Column of the second text, where a sample is a pair of texts."),
        .init(
            "data.label", \.data.label, limits: .name,
            "Column of the label: an integer from 0 or a name, or the number to predict. In a CSV of images"
                + " also the column's number, counted from 0."),
        .init(
            "data.max_length", \.data.maximumLength, limits: .range(3...1_048_576),
            "Most tokens of a sample, special tokens included. What is longer is cut, without a word."),
        .init(
            "data.limit", \.data.limit, limits: .orNull(.range(1...Int.max)),
            "How many training samples are used, counted from the first of the file. Null uses all. In a"
                + " sorted file the first ones may be of one class."),
        .init(
            "data.shuffle", \.data.shuffle,
            "Whether each epoch has an order of its own. False keeps that of the file."),
    ]

    private static let image: [ConfigurationField] = [
        .init(
            "image.size", \.image.side, limits: .orNull(.range(1...HCFormerConfiguration.largestImage)),
            "Side that images are resized to. Null takes the model's, or for a new model the images' own."),
        .init(
            "image.scale", \.image.scale, limits: .positive,
            "Pixel value that counts as 1: 255 for bytes, 16 for scikit-learn's digits."),
        .init("image.mean", \.image.mean, "What is subtracted from a scaled pixel."),
        .init(
            "image.std", \.image.deviation, limits: .positive,
            "What the difference is divided by."),
        .init(
            "image.crop", \.image.margin, limits: .range(0...HCFormerConfiguration.largestImage),
            "In training: width of a border of zeros that is put around the image, which is then cropped to"
                + " its size at a random place."),
        .init(
            "image.flip", \.image.flips,
            "In training: whether half of the images are mirrored. Not for digits and letters."),
    ]

    private static let hcformer: [ConfigurationField] = [
        .init(
            "hcformer.size", \.hcformer.size,
            "One of the paper's sizes; the other keys change parts of it."),
        .init(
            "hcformer.patch_size", \.hcformer.stem, limits: .orNull(.range(1...256)),
            "Side and stride of the first convolution."),
        .init(
            "hcformer.depths", \.hcformer.depths,
            "Blocks of each stage. With another number of stages than the size has, every list must be given."),
        .init("hcformer.hidden_sizes", \.hcformer.widths, "Width of each stage."),
        .init("hcformer.num_attention_heads", \.hcformer.heads, "Heads of each stage."),
        .init("hcformer.head_dim", \.hcformer.headWidth, limits: .orNull(.range(1...8192)), "Width of a head."),
        .init("hcformer.mlp_ratios", \.hcformer.expansions, "Width of each stage's MLP as a multiple of the stage's."),
        .init("hcformer.windows", \.hcformer.windows, "Windows along a side of each stage's map."),
        .init("hcformer.patch_centers", \.hcformer.patchCentres, "Cluster centres along a side of a window."),
        .init(
            "hcformer.window_centers", \.hcformer.windowCentres,
            "Cluster centres of windows, in hyperbolic space, along a side of the map. 0 leaves that branch"
                + " out."),
        .init("hcformer.curvature", \.hcformer.curvature, limits: .positive, "Curvature κ of the hyperbolic space."),
        .init(
            "hcformer.layer_scale_init_value", \.hcformer.layerScale, limits: .notNegative,
            "What the channels of every residual branch are scaled by at the start."),
    ]

    private static let superposition: [ConfigurationField] = [
        .init("superposition.n", \.superposition.features, limits: .range(1...1_000_000), "Features."),
        .init("superposition.m", \.superposition.hidden, limits: .range(1...65_536), "Hidden numbers."),
        .init(
            "superposition.alpha", \.superposition.exponent,
            limits: .init(words: " from 0 to 100") { (0...100).contains($0) },
            "How fast the features' probabilities fall: p_i ∝ i^−alpha."),
        .init("superposition.bias", \.superposition.bias, "What b begins as."),
        .init(
            "superposition.evaluation_samples", \.superposition.evaluationSamples, limits: .range(1...1_000_000_000),
            "New samples that the loss is measured on at the end, and as many others at each evaluation that"
                + " `evaluate_every` asks for."),
    ]

    private static let adapter: [ConfigurationField] = [
        .init(
            "adapter.init_r", \.adapter.initialRank, limits: .range(1...65_536), "Triplets of each module at the start."
        ),
        .init(
            "adapter.target_r", \.adapter.targetRank, limits: .range(0...65_536),
            "Triplets of each module at the end, on average. Single modules may keep from none to `init_r`."),
        .init(
            "adapter.target_total", \.adapter.targetTotal, limits: .orNull(.range(0...Int.max)),
            "Triplets of all modules together at the end. Null means `target_r` for each module."),
        .init(
            "adapter.tinit", \.adapter.initialSteps, limits: .steps(atLeast: 0),
            "Steps at the start, before the budget begins to fall."),
        .init(
            "adapter.tfinal", \.adapter.finalSteps, limits: .steps(atLeast: 0),
            "Steps at the end, in which the choice of triplets no longer changes. `tinit` and `tfinal`"
                + " together must be less than `total_step`: with `total_step: 100`, set them to 10 and 30, for"
                + " instance."),
        .init(
            "adapter.deltaT", \.adapter.maskingInterval, limits: .steps(atLeast: 1), "Steps between masking decisions."),
        .init(
            "adapter.beta1", \.adapter.sensitivitySmoothing, limits: .betweenZeroAndOne,
            "Smoothing of the sensitivity: the weight of its past."),
        .init(
            "adapter.beta2", \.adapter.uncertaintySmoothing, limits: .betweenZeroAndOne,
            "Smoothing of the uncertainty: the weight of its past."),
        .init(
            "adapter.orth_reg_weight", \.adapter.orthogonalityWeight, limits: .notNegative,
            "Weight of the orthogonality term in the loss."),
        .init(
            "adapter.orthogonality", \.adapter.orthogonality,
            "Form of the orthogonality term: the paper's sum of squared norms, or PEFT's mean of norms."),
        .init(
            "adapter.lora_alpha", \.adapter.alpha, limits: .positive,
            "The adapters' output is scaled by `lora_alpha / (init_r + 1e-5)` during the whole run. Twice the"
                + " `init_r` with the same `lora_alpha` is half the scale."),
        .init(
            "adapter.lora_dropout", \.adapter.dropout, limits: .zeroToBelowOne,
            "Probability that an input element of an adapter is dropped in training."),
        .init(
            "adapter.target_modules", \.adapter.targetModules, limits: .orNull(.modules),
            "Modules to adapt: a list of names, each a module's whole path or the end of it after a dot (`query`"
                + " is every module whose path ends in `.query`); or a text, which is a regular expression that must"
                + " match the whole path, or `all-linear`. Null takes the linear layers of the model's blocks."),
        .init(
            "adapter.exclude_modules", \.adapter.excludedModules, limits: .orNull(.modules),
            "Modules that are left out of those, named in the same ways."),
        .init(
            "adapter.layers_to_transform", \.adapter.layerNumbers, limits: .layers,
            "Numbers of the layers whose modules are adapted, from 0: in `encoder.layer.3.output.dense` it is"
                + " 3. Modules that `target_modules` lists by their whole paths are adapted in any case. An empty list takes all."
        ),
        .init(
            "adapter.modules_to_save", \.adapter.savedModules, limits: .namesOrNone,
            "Modules of the pretrained network that are trained in full and saved with the adapter, each by its"
                + " whole path or the end of it after a dot."),
        .init(
            "adapter.importance", \.adapter.importance,
            "Score of an entry: smoothed sensitivity times uncertainty (`ipt`), the step's sensitivity alone"
                + " (`sensitivity`), or the size of the singular value (`magnitude`)."),
        .init(
            "adapter.sensitivity_at", \.adapter.sensitivityPoint,
            "Which weight the sensitivity uses: the one at which the gradient was taken, or the one after the"
                + " update, as PEFT does."),
        .init(
            "adapter.schedule", \.adapter.budgetForm,
            "How the budget falls between `tinit` and `total_step − tfinal`: continuously (`cubic`), or as"
                + " printed in the paper."),
        .init(
            "adapter.form", \.adapter.form,
            "How an adapter acts: P·diag(λ)·Q (`svd`), or LoRA's B·A with λ fixed at 1 (`ba`, for `method:"
                + " lora`). `ba` wants a lower `optimizer.lr`, such as 5e-4."),
        .init(
            "adapter.compact_final", \.adapter.compactsFinalPhase,
            "Whether masked triplets are removed from products, state and traffic after the last decision."
                + " The orthogonality term then counts only those that stay."),
        .init(
            "adapter.init", \.adapter.initialAdapter, limits: .orNull(.path),
            "Folder of a run, or of an adapter of this program's or PEFT's, to start from as exactly that"
                + " network. `init_r` must be at least its largest rank, and `target_modules` must name all its"
                + " modules. Null starts as `adapter.initialization` says."),
        .init(
            "adapter.initialization", \.adapter.initialization,
            "What P and Q start as. `normal`, `xavier`, `he`: random with standard deviation 0.02, Xavier's"
                + " or He's, and λ = 0. `svd`, `svd-minor`: the leading or trailing singular triplets of each"
                + " weight, which the base then lacks; `svd` wants a lower `optimizer.lr`."
        ),
        .init(
            "adapter.share", \.adapter.sharedModules, limits: .namesOrNone,
            "Names as in a list of `target_modules`. Modules of one shape that the same name matches use one adapter,"
                + " which counts once in the budget. A module that several names match belongs to the first."),
        .init(
            "adapter.normalize", \.adapter.normalization,
            "`unit` keeps the columns of P and the rows of Q at unit length, at the start and after every"
                + " step; their length goes into λ, so that the function stays the same. Null leaves them."),
        .init(
            "adapter.max_spectral_norm", \.adapter.largestSpectralNorm, limits: .orNull(.positive),
            "Largest singular value that any module's ΔW may have after a step. A larger one is scaled down"
                + " by its λ. Null sets no bound."),
    ]

    private static let baseQuantization: [ConfigurationField] = [
        .init(
            "base_quantization.bits", \.baseQuantization.bits, limits: .orNull(.fourOrEight),
            "Bits in which the pretrained weights of linear layers and word embeddings are held during"
                + " training. Null leaves them as they are."),
        .init(
            "base_quantization.group", \.baseQuantization.group, limits: .evenGroup,
            "How many neighbours in a row of weights share the range of their codes."),
    ]

    private static let head: [ConfigurationField] = [
        .init(
            "head.initialization", \.head.initialization,
            "What the head's weight starts as: random with standard deviation 0.02, Xavier's or He's.")
    ]

    private static let optimizer: [ConfigurationField] = [
        .init(
            "optimizer.lr", \.optimizer.learningRate, limits: .notNegative,
            "Highest learning rate. The default suits `method: adalora`; `method: full` wants one of about"
                + " 1e-4."),
        .init(
            "optimizer.weight_decay", \.optimizer.weightDecay, limits: .finite,
            "Weight decay of everything that is trained. It may be below 0 only where `decay_mode` is"
                + " `unit-row`."),
        .init(
            "optimizer.decay_mode", \.optimizer.decayMode,
            "How the decay enters a step. `decoupled`: beside Adam's step (AdamW). `l2`: in the gradient that"
                + " Adam gets. `unit-row`: as a factor of every column of P, row of Q and row of another matrix,"
                + " towards unit norm where the decay is below 0."),
        .init(
            "optimizer.weight_decay_vectors", \.optimizer.weightDecayOfVectors, limits: .orNull(.finite),
            "Weight decay of P and Q; null takes `weight_decay`."),
        .init(
            "optimizer.weight_decay_values", \.optimizer.weightDecayOfValues, limits: .orNull(.finite),
            "Weight decay of Λ; null takes `weight_decay`, or none where `decay_mode` is `unit-row`."),
        .init(
            "optimizer.weight_decay_head", \.optimizer.weightDecayOfHead, limits: .orNull(.finite),
            "Weight decay of the head; null takes `weight_decay`."),
        .init(
            "optimizer.clip_weights", \.optimizer.largestWeight, limits: .orNull(.positive),
            "Size to which every trained weight is clipped after a step. Null clips none."),
        .init("optimizer.beta1", \.optimizer.firstMomentDecay, limits: .zeroToBelowOne, "Decay of the first moment."),
        .init("optimizer.beta2", \.optimizer.secondMomentDecay, limits: .zeroToBelowOne, "Decay of the second moment."),
        .init(
            "optimizer.epsilon", \.optimizer.epsilon, limits: .positive,
            "What is added to the root of the second moment before the division by it."),
        .init(
            "optimizer.max_grad_norm", \.optimizer.maximumGradientNorm, limits: .orNull(.positive),
            "Gradients with a larger global norm are scaled down to it. Null never scales."),
        .init(
            "optimizer.schedule", \.optimizer.schedule,
            "How the learning rate goes on after the warm-up."),
        .init(
            "optimizer.min_lr_rate", \.optimizer.lowestShare,
            limits: .init(words: " from 0 to 1") { (0...1).contains($0) },
            "Share of `lr` at which the schedule ends."),
        .init(
            "optimizer.warmup_steps", \.optimizer.warmUpSteps, limits: .steps(atLeast: 0),
            "Steps in which the learning rate rises. At most `total_step`: for short trials set it, too, as"
                + " in `--set total_step=20 --set optimizer.warmup_steps=2`."),
    ]

    private static let checkpoint: [ConfigurationField] = [
        .init(
            "checkpoint.every", \.checkpoint.interval, limits: .steps(atLeast: 1), resume: .free,
            "Steps between checkpoints."),
        .init(
            "checkpoint.keep", \.checkpoint.kept, limits: .range(1...1_000_000), resume: .free,
            "How many of the newest checkpoints stay; older ones are removed."),
    ]
}
