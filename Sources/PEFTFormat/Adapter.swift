/// The triplets of one adapted linear layer that an adapter holds.
public struct AdapterModule: Sendable, Equatable {
    /// Dotted path of the layer, without PEFT's `base_model.model.`.
    public var path: String
    public var outputs: Int
    public var inputs: Int
    /// [rank, outputs]: one row for each triplet, the transpose of PEFT's `lora_B`.
    public var leftVectors: [Float]
    /// [rank], PEFT's `lora_E`.
    public var singularValues: [Float]
    /// [rank, inputs], PEFT's `lora_A`.
    public var rightVectors: [Float]
    /// Which of the triplets at the start these are: `init_r` flags, as many true as there are triplets.
    public var pattern: [Bool]

    public init(
        path: String, outputs: Int, inputs: Int, leftVectors: [Float], singularValues: [Float], rightVectors: [Float],
        pattern: [Bool]
    ) {
        precondition(leftVectors.count == singularValues.count * outputs)
        precondition(rightVectors.count == singularValues.count * inputs)
        precondition(pattern.count { $0 } == singularValues.count)
        self.path = path
        self.outputs = outputs
        self.inputs = inputs
        self.leftVectors = leftVectors
        self.singularValues = singularValues
        self.rightVectors = rightVectors
        self.pattern = pattern
    }

    /// Triplets that the adapter holds.
    public var rank: Int { singularValues.count }
}

/// A tensor that is trained in full: of the task's head, or of a layer below that the base lacks.
public struct HeadTensor: Sendable, Equatable {
    /// Without PEFT's `base_model.model.`, for instance `classifier.weight`.
    public var name: String
    public var shape: [Int]
    public var values: [Float]

    public init(name: String, shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count)
        self.name = name
        self.shape = shape
        self.values = values
    }
}

extension HeadTensor {
    /// The path of the module whose tensor it is.
    public var path: String { name.split(separator: ".").dropLast().joined(separator: ".") }

    /// The last layers of transformers' heads for sequences; their rows are the outputs.
    private static let lastLayers: Set = ["classifier", "classifier.out_proj", "score", "head"]

    /// Modules of transformers' models for sequences beside the pretrained network.
    private static let heads: Set = ["classifier", "score", "head", "pre_classifier"]

    /// Whether a module's path is one of a head, or of a part of one.
    public static func isHead(_ path: String) -> Bool { heads.contains(String(path.prefix { $0 != "." })) }

    /// Whether its rows are the task's outputs.
    var isOfLastLayer: Bool { Self.lastLayers.contains(path) }

    /// PEFT's name, in `modules_to_save`, for what it is part of: a pooler as a whole, wherever it is; a head as a whole; any
    /// other layer by its path.
    var module: String {
        let parts = path.split(separator: ".").map(String.init)
        if parts.contains("pooler") { return "pooler" }
        return Self.isHead(path) ? parts[0] : path
    }
}

/// How an adapter was trained: the fields of PEFT's `AdaLoraConfig` that it keeps.
public struct AdapterSettings: Sendable, Equatable {
    public var initialRank: Int  // init_r
    public var targetRank: Int  // target_r
    public var initialSteps: Int  // tinit
    public var finalSteps: Int  // tfinal
    public var interval: Int  // deltaT
    public var beta1: Double
    public var beta2: Double
    public var orthogonalityWeight: Double  // orth_reg_weight
    public var totalSteps: Int  // total_step
    public var alpha: Double  // lora_alpha
    public var dropout: Double  // lora_dropout
    public var targetModules: [String]  // target_modules
    public var baseModel: String  // base_model_name_or_path
    public var taskType = "SEQ_CLS"  // task_type

    public init(
        initialRank: Int, targetRank: Int, initialSteps: Int, finalSteps: Int, interval: Int, beta1: Double,
        beta2: Double, orthogonalityWeight: Double, totalSteps: Int, alpha: Double, dropout: Double,
        targetModules: [String], baseModel: String
    ) {
        self.initialRank = initialRank
        self.targetRank = targetRank
        self.initialSteps = initialSteps
        self.finalSteps = finalSteps
        self.interval = interval
        self.beta1 = beta1
        self.beta2 = beta2
        self.orthogonalityWeight = orthogonalityWeight
        self.totalSteps = totalSteps
        self.alpha = alpha
        self.dropout = dropout
        self.targetModules = targetModules
        self.baseModel = baseModel
    }

    /// s = lora_alpha / (init_r + 1e-5), in single precision as PEFT computes it.
    public var scale: Float { Float(alpha) / (Float(initialRank) + 1e-5) }
}

/// An adapter with its head: what a run ends with, and what PEFT loads.
///
/// ΔW of a module is `scale · Σ_i leftVectors_i · singularValues_i · rightVectors_i`.
public struct Adapter: Sendable, Equatable {
    public var modules: [AdapterModule]
    public var head: [HeadTensor]
    public var settings: AdapterSettings

    public init(modules: [AdapterModule], head: [HeadTensor], settings: AdapterSettings) {
        self.modules = modules
        self.head = head
        self.settings = settings
    }

    /// Outputs of the head: classes, or 1 for a regression; 0 without a head.
    public var outputCount: Int { head.first { $0.isOfLastLayer && $0.name.hasSuffix(".weight") }?.shape.first ?? 0 }

    /// Paths of layers that come with the adapter, trained in full; those of the head among them.
    public var denseLayers: [String] { head.filter { $0.name.hasSuffix(".weight") }.map(\.path) }
}
