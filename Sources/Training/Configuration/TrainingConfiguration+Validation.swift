import Diagnostics

extension TrainingConfiguration {
    /// Checks every value and what the values must be to each other. Loading has done so; call it after changing values
    /// in code.
    ///
    /// - Throws: `.usage`, naming the keys, their values, and what to set.
    public func validate() throws(ConfigurationError) {
        for field in ConfigurationField.all {
            if let mismatch = field.mismatch(self) {
                throw ConfigurationError(.usage, "\(field.key): \(mismatch.sentence)")
            }
        }
        if let contradiction { throw ConfigurationError(.usage, contradiction) }
    }

    /// Checks what depends on the number of adapted modules, which is known when the model has been read.
    ///
    /// - Parameter moduleCount: the modules that `adapter.target_modules` match.
    /// - Throws: `.usage`.
    public func validate(moduleCount: Int) throws(ConfigurationError) {
        let (triplets, overflow) = moduleCount.multipliedReportingOverflow(by: adapter.initialRank)
        if overflow {
            throw ConfigurationError(
                .usage,
                "adapter.init_r is \(adapter.initialRank), too many triplets for \(moduleCount) modules; lower it")
        }
        if method == .adalora, let total = adapter.targetTotal, total > triplets {
            throw ConfigurationError(
                .usage,
                "adapter.target_total is \(total), but \(moduleCount) modules of adapter.init_r \(adapter.initialRank) have"
                    + " \(triplets) triplets; set it to at most \(triplets), or raise adapter.init_r")
        }
    }

    /// The first contradiction between values that are each within their limits.
    var contradiction: String? {
        methodProblem ?? rankProblem ?? initializationProblem ?? weightProblem ?? scheduleProblem ?? batchProblem
            ?? dataProblem
    }

    private var methodProblem: String? {
        switch task {
        case .sequenceClassification, .regression:
            if method == .full || method == .head, let bits = baseQuantization.bits {
                return
                    "base_quantization.bits is \(bits), but method: \(method.rawValue) leaves a model with weights as they"
                    + " are; set it to null"
            }
            if modelFolder == nil {
                return "model is null, but task: \(task.rawValue) needs a pretrained model; name its folder"
            }
        case .imageClassification:
            if let bits = baseQuantization.bits {
                return "base_quantization.bits is \(bits), but image networks are held as they are; set it to null"
            }
            if method != .full, modelFolder == nil {
                return
                    "model is null, but method: \(method.rawValue) adapts a model; name its folder, or set method to full"
            }
            if let name = adapter.savedModules.first, method != .full {
                return
                    "adapter.modules_to_save names '\(name)', but image networks train adapters and the head alone; set it to"
                    + " []"
            }
        case .superposition:
            if let problem = superpositionProblem { return problem }
        }
        if method == .full || method == .head, let (key, value) = settingOfAdapters {
            return "\(key) is \(value), but method: \(method.rawValue) trains no adapters; set it to its default"
        }
        if method == .full, let decay = optimizer.weightDecayOfHead {
            return "optimizer.weight_decay_head is \(decay.yamlText), but method: full decays all alike; set it to null"
        }
        guard method == .adalora, adapter.form != .svd else { return nil }
        return
            "adapter.form is \(adapter.form.rawValue), which method: adalora cannot prune; set adapter.form to svd, or"
            + " method to lora"
    }

    /// What is set of adapters beyond numbers that may stand in a file for the sake of other methods.
    private var settingOfAdapters: (key: String, value: String)? {
        let settings: [(key: String, value: String?)] = [
            ("adapter.init", adapter.initialAdapter), ("adapter.share", adapter.sharedModules.first),
            (
                "adapter.initialization",
                adapter.initialization == .normal ? nil : adapter.initialization.rawValue
            ),
            ("adapter.form", adapter.form == .svd ? nil : adapter.form.rawValue),
            ("adapter.normalize", adapter.normalization?.rawValue),
            ("adapter.max_spectral_norm", adapter.largestSpectralNorm?.yamlText),
            ("optimizer.weight_decay_vectors", optimizer.weightDecayOfVectors?.yamlText),
            ("optimizer.weight_decay_values", optimizer.weightDecayOfValues?.yamlText),
        ]
        return Self.firstSet(settings)
    }

    /// The first key that has a value.
    private static func firstSet(_ settings: [(key: String, value: String?)]) -> (key: String, value: String)? {
        settings.lazy.compactMap { key, value in value.map { (key, $0) } }.first
    }

    private var superpositionProblem: String? {
        if method != .full {
            return "method is \(method.rawValue), but task: superposition trains every parameter; set method to full"
        }
        let files = [
            ("model", modelFolder), ("data.train", data.trainingFile), ("data.validation", data.validation),
            ("data.test", data.test),
        ]
        if let (key, path) = Self.firstSet(files) {
            return "\(key) is '\(path)', but task: superposition begins anew and draws its samples; set it to null"
        }
        let settings = [
            ("data.limit", data.limit.map(String.init)), ("dropout", dropout?.yamlText),
            ("base_quantization.bits", baseQuantization.bits.map(String.init)),
        ]
        if let (key, value) = Self.firstSet(settings) {
            return "\(key) is \(value), which task: superposition has no use for; set it to null"
        }
        return superposition.problem
    }

    private var rankProblem: String? {
        guard method == .adalora, adapter.targetRank > adapter.initialRank else { return nil }
        return "adapter.target_r is \(adapter.targetRank), but must not exceed adapter.init_r, which is "
            + "\(adapter.initialRank); lower adapter.target_r or raise adapter.init_r"
    }

    private var initializationProblem: String? {
        if adapter.initialization.isDecomposition, let name = adapter.sharedModules.first {
            return
                "adapter.share names '\(name)', but adapter.initialization \(adapter.initialization.rawValue) gives every"
                + " module triplets of its own weight; set one of them to its default"
        }
        if adapter.initialization.isDecomposition, let bits = baseQuantization.bits {
            return
                "base_quantization.bits is \(bits), but adapter.initialization \(adapter.initialization.rawValue) takes the"
                + " adapters out of the weights as they are; set one of them to its default"
        }
        guard adapter.initialization.isDecomposition, let path = adapter.initialAdapter else { return nil }
        return
            "adapter.initialization is \(adapter.initialization.rawValue), but adapter.init names '\(path)' to start from;"
            + " set one of them to its default"
    }

    private var weightProblem: String? {
        if adapter.form == .ba {
            let keys = [
                ("initialization", adapter.initialization.isDecomposition ? adapter.initialization.rawValue : nil),
                ("normalize", adapter.normalization?.rawValue),
                ("max_spectral_norm", adapter.largestSpectralNorm?.yamlText),
            ]
            if let (key, value) = Self.firstSet(keys) {
                return "adapter.\(key) is \(value), but adapter.form ba holds every λ at 1; set adapter.form to svd, or"
                    + " adapter.\(key) to its default"
            }
        }
        let isUnitRow = optimizer.decayMode == .unitRow
        for (key, decay) in [
            ("weight_decay", optimizer.weightDecay), ("weight_decay_vectors", optimizer.weightDecayOfVectors ?? 0),
            ("weight_decay_values", optimizer.weightDecayOfValues ?? 0),
            ("weight_decay_head", optimizer.weightDecayOfHead ?? 0),
        ] where decay < 0 && !isUnitRow {
            return "optimizer.\(key) is \(decay.yamlText), but optimizer.decay_mode is \(optimizer.decayMode.rawValue);"
                + " below 0, which grows rows towards unit norm, it needs decay_mode unit-row"
        }
        if isUnitRow, let decay = optimizer.weightDecayOfValues {
            return
                "optimizer.weight_decay_values is \(decay.yamlText), but optimizer.decay_mode unit-row is for rows, which"
                + " a λ is not; set it to null"
        }
        if adapter.normalization != nil, let limit = optimizer.largestWeight {
            return
                "optimizer.clip_weights is \(limit.yamlText), but adapter.normalize unit may stretch what was clipped;"
                + " set one of them to null"
        }
        if adapter.initialization.isDecomposition, let limit = adapter.largestSpectralNorm {
            return "adapter.max_spectral_norm is \(limit.yamlText), but with adapter.initialization "
                + "\(adapter.initialization.rawValue) ΔW is no multiple of Λ; set max_spectral_norm to null"
        }
        return nil
    }

    private var scheduleProblem: String? {
        // The limits of each key rule out overflow.
        let lastDecision = totalSteps - adapter.finalSteps
        if method == .adalora, adapter.initialSteps >= lastDecision {
            return "adapter.tinit is \(adapter.initialSteps), but must be less than total_step − adapter.tfinal = "
                + "\(totalSteps) − \(adapter.finalSteps) = \(lastDecision); lower adapter.tinit or adapter.tfinal, or"
                + " raise total_step"
        }
        if optimizer.warmUpSteps > totalSteps {
            return "optimizer.warmup_steps is \(optimizer.warmUpSteps), but must not exceed total_step, which is "
                + "\(totalSteps); lower optimizer.warmup_steps or raise total_step"
        }
        return nil
    }

    private var batchProblem: String? {
        guard batchSize < gradientLanes else { return nil }
        return "batch_size is \(batchSize), but must be at least gradient_lanes, which is \(gradientLanes); raise"
            + " batch_size or lower gradient_lanes"
    }

    private var dataProblem: String? {
        guard task != .superposition else { return nil }
        if data.trainingFile == nil {
            return "data.train is null, but task: \(task.rawValue) learns from a file; name it"
        }
        if data.text == data.label {
            return "data.text and data.label both name the column '\(data.text)'; name two different columns"
        }
        if let pair = data.textPair, pair == data.text || pair == data.label {
            return "data.text_pair names the column '\(pair)', which is in use as text or label; name another column"
        }
        if let interval = evaluationInterval, data.validation == nil {
            return "evaluate_every is \(interval), but data.validation is null; name the validation file or set"
                + " evaluate_every to null"
        }
        return nil
    }
}
