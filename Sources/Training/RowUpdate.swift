package import AdaLoRA
import CKernels
package import NeuralNetwork

/// What one step does to a row that this process owns, in one pass over it: clipping, sensitivity, Ī, Ū and AdamW.
package struct RowUpdate {
    private let optimizer: AdamW.Update
    private let importance: Importance
    /// When the sensitivity is taken; nil leaves the importance as it is.
    private let point: TrainingConfiguration.SensitivityPoint?

    package init(optimizer: AdamW.Update, importance: Importance, point: TrainingConfiguration.SensitivityPoint?) {
        self.optimizer = optimizer
        self.importance = importance
        self.point = point
    }

    /// - Parameters:
    ///   - values, gradient: w and g, [count].
    ///   - offset: where the row's entries start in the arrays of the state.
    package func apply(
        to values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, state: StatePointers, offset: Int,
        count: Int, isImportant: Bool
    ) {
        let (first, second) = (state.firstMoment + offset, state.secondMoment + offset)
        guard let point, isImportant else {
            return optimizer.apply(
                to: values, gradient: gradient, firstMoment: first, secondMoment: second, count: count)
        }
        let kernel = point == .gradient ? kernel_importance_then_adamw : kernel_adamw_then_importance
        kernel(
            optimizer.settings, importance.beta1, importance.beta2, values, gradient, first, second,
            state.smoothedSensitivity + offset, state.uncertainty + offset, count)
    }
}

/// The arrays of an owner's state, looked up once for all rows; [owned elements] each.
package struct StatePointers {
    package let firstMoment, secondMoment, smoothedSensitivity, uncertainty: UnsafeMutablePointer<Float>

    package init(_ state: OwnedState) {
        firstMoment = state[.firstMoment]
        secondMoment = state[.secondMoment]
        smoothedSensitivity = state[.smoothedSensitivity]
        uncertainty = state[.uncertainty]
    }
}
