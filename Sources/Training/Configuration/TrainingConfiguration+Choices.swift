public import AdaLoRA

extension TrainingConfiguration {
    /// What is trained. The raw values are those of the key `method`.
    public enum Method: String, CaseIterable, Sendable {
        /// Low-rank adapters whose ranks share one falling budget.
        case adalora
        /// Low-rank adapters of one fixed rank.
        case lora
        /// Every parameter of the network.
        case full
        /// A new head alone.
        case head
    }

    /// The form of a low-rank adapter. The raw values are those of the key `adapter.form`.
    public enum AdapterForm: String, CaseIterable, Sendable {
        /// P·diag(λ)·Q, λ trained and 0 at the start.
        case svd
        /// LoRA's B·A: λ stays 1, and B = P is 0 at the start.
        case ba
    }

    /// What the head predicts. The raw values are those of the key `task`.
    public enum Task: String, CaseIterable, Sendable {
        /// One of a set of labels; the loss is the cross-entropy.
        case sequenceClassification = "sequence-classification"
        /// One number; the loss is the mean squared error.
        case regression
        /// One of a set of classes of an image; the loss is the cross-entropy.
        case imageClassification = "image-classification"
        /// All features of a sample, out of fewer numbers; the loss is the squared error, the samples are drawn.
        case superposition
    }

    /// The form of the orthogonality term R: the key `adapter.orthogonality`.
    public typealias Orthogonality = OrthogonalityRegularizer.Form

    /// Which weight the sensitivity `|w·g|` takes. The raw values are those of the key `adapter.sensitivity_at`.
    public enum SensitivityPoint: String, CaseIterable, Sendable {
        /// The weight at which the gradient was taken (the paper).
        case gradient
        /// The weight after the optimiser's step (PEFT and the authors' code).
        case update
    }

    /// The score of an entry of a triplet: the key `adapter.importance`.
    public typealias ImportanceMeasure = AdaLoRA.ImportanceMeasure

    /// The form of the budget's fall: the key `adapter.schedule`.
    public typealias BudgetForm = BudgetSchedule.Form

    /// What a new run's P, Λ and Q are. The raw values are those of the key `adapter.initialization`.
    public enum AdapterInitialization: String, CaseIterable, Sendable {
        /// P, Q ~ N(0, 0.02²), λ = 0.
        case normal
        /// P, Q ~ N(0, 2/(n_in + n_out)) (Glorot and Bengio 2010), λ = 0.
        case xavier
        /// P, Q ~ N(0, 2/n_in) (He et al. 2015), λ = 0.
        case he
        /// The singular triplets of W0 with the largest singular values; the base keeps the rest of W0.
        case leadingTriplets = "svd"
        /// Those with the smallest singular values.
        case trailingTriplets = "svd-minor"

        /// Whether P, Λ and Q are taken out of W0.
        var isDecomposition: Bool { self == .leadingTriplets || self == .trailingTriplets }
    }

    /// How weight decay enters a step. The raw values are those of the key `optimizer.decay_mode`.
    public enum DecayMode: String, CaseIterable, Sendable {
        /// Beside Adam's step (AdamW).
        case decoupled
        /// In the gradient that Adam gets.
        case l2
        /// Of every row, before Adam's step; below 0, towards unit norm.
        case unitRow = "unit-row"
    }

    /// What is kept of P and Q beside their directions. The raw values are those of the key `adapter.normalize`.
    public enum AdapterNormalization: String, CaseIterable, Sendable {
        /// Columns of P and rows of Q have unit length after every step, λ the magnitude.
        case unit
    }

    /// What a new run's head is. The raw values are those of the key `head.initialization`.
    public enum HeadInitialization: String, CaseIterable, Sendable {
        /// W ~ N(0, 0.02²).
        case normal
        /// W ~ N(0, 2/(n_in + n_out)).
        case xavier
        /// W ~ N(0, 2/n_in).
        case he
    }

    /// The course of the learning rate after the warm-up. The raw values are those of the key `optimizer.schedule`.
    public enum LearningRateSchedule: String, CaseIterable, Sendable {
        /// Falls in a straight line until `total_step`.
        case linear
        /// Stays.
        case constant
        /// Falls along half a cosine until `total_step`.
        case cosine
    }
}
