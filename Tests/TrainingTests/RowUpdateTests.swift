import AdaLoRA
import LinearAlgebra
import NeuralNetwork
import Testing
import Training

@Suite("The update of a row in one pass")
struct RowUpdateTests {
    private let count = 769
    private let optimizer = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01)
    private let importance = Importance(measure: .ipt, beta1: 0.85, beta2: 0.7)

    private func numbers(_ seed: Int) -> Matrix {
        Matrix(
            rows: 1, columns: count,
            elements: (0..<count).map { Float(($0 * 7_919 + seed * 104_729) % 1_009) / 504 - 1 })
    }

    @Test(
        "has the bits of importance and AdamW one after the other, whenever the sensitivity is taken",
        arguments: TrainingConfiguration.SensitivityPoint.allCases)
    func fused(point: TrainingConfiguration.SensitivityPoint) {
        let gradient = numbers(1)
        let (values, state) = (numbers(2), OwnedState(elements: 0..<count))
        let (expectedValues, expected) = (numbers(2), OwnedState(elements: 0..<count))
        for step in 0..<3 {
            let update = optimizer.update(step: step, learningRate: 1e-2, gradientFactor: 0.3)
            RowUpdate(optimizer: update, importance: importance, point: point).apply(
                to: values.pointer, gradient: gradient.pointer, state: StatePointers(state), offset: 0, count: count,
                isImportant: true)
            func updateImportance() {
                importance.update(
                    values: expectedValues.pointer, gradient: gradient.pointer, gradientFactor: 0.3,
                    smoothed: expected[.smoothedSensitivity], uncertainty: expected[.uncertainty], count: count)
            }
            if point == .gradient { updateImportance() }
            update.apply(
                to: expectedValues.pointer, gradient: gradient.pointer, firstMoment: expected[.firstMoment],
                secondMoment: expected[.secondMoment], count: count)
            if point == .update { updateImportance() }
        }
        #expect(values.elements == expectedValues.elements)
        for quantity in OwnedState.Quantity.allCases {
            #expect((0..<count).allSatisfy { state[quantity][$0] == expected[quantity][$0] }, "\(quantity)")
        }
        withExtendedLifetime((state, expected, values, expectedValues, gradient)) {}
    }

    @Test("leaves the importance of what is no triplet, and of the steps that do not count, as it is")
    func unimportant() {
        let (values, gradient, state) = (numbers(2), numbers(1), OwnedState(elements: 0..<count))
        let update = optimizer.update(step: 0, learningRate: 1e-2, gradientFactor: 1)
        for (point, isImportant) in [(nil, true), (TrainingConfiguration.SensitivityPoint.gradient, false)] {
            RowUpdate(optimizer: update, importance: importance, point: point).apply(
                to: values.pointer, gradient: gradient.pointer, state: StatePointers(state), offset: 0, count: count,
                isImportant: isImportant)
        }
        #expect((0..<count).allSatisfy { state[.smoothedSensitivity][$0] == 0 && state[.uncertainty][$0] == 0 })
        #expect((0..<count).contains { state[.firstMoment][$0] != 0 })
        withExtendedLifetime((values, gradient, state)) {}
    }
}
