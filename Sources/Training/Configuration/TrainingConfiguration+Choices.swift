extension TrainingConfiguration {
    /// What the head predicts. The raw values are those of the key `task`.
    public enum Task: String, CaseIterable, Sendable {
        /// One of a set of labels; the loss is the cross-entropy.
        case sequenceClassification = "sequence-classification"
        /// One number; the loss is the mean squared error.
        case regression
    }

    /// The form of the orthogonality term R. The raw values are those of the key `adapter.orthogonality`.
    public enum Orthogonality: String, CaseIterable, Sendable {
        /// The sum over modules of `‖PᵀP − I‖²_F + ‖QQᵀ − I‖²_F` (the paper's equation 4).
        case paper
        /// PEFT's: the mean over all P and Q of the norm that is not squared.
        case peft
    }

    /// Which weight the sensitivity `|w·g|` takes. The raw values are those of the key `adapter.sensitivity_at`.
    public enum SensitivityPoint: String, CaseIterable, Sendable {
        /// The weight at which the gradient was taken (the paper).
        case gradient
        /// The weight after the optimiser's step (PEFT and the authors' code).
        case update
    }

    /// The score of an entry of a triplet (the paper's Table 4). The raw values are those of the key `adapter.importance`.
    public enum ImportanceMeasure: String, CaseIterable, Sendable {
        /// Smoothed sensitivity times uncertainty.
        case ipt
        /// The sensitivity of the step alone.
        case sensitivity
        /// The size of the singular value alone.
        case magnitude
    }

    /// The form of the budget's fall. The raw values are those of the key `adapter.schedule`.
    public enum BudgetForm: String, CaseIterable, Sendable {
        /// Continuous, from the initial to the target budget (the authors' code and PEFT).
        case cubic
        /// As the paper prints it, clamped between target and initial budget.
        case printed
    }

    /// The course of the learning rate after the warm-up. The raw values are those of the key `optimizer.schedule`.
    public enum LearningRateSchedule: String, CaseIterable, Sendable {
        /// Falls in a straight line to 0 at `total_step`.
        case linear
        /// Stays.
        case constant
        /// Falls along half a cosine to 0 at `total_step`.
        case cosine
    }
}
