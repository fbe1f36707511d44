import LinearAlgebra
import Testing
import WeightMethods

@Suite("Weight decay")
struct DecayTests {
    @Test("one step of each form is the one of PyTorch's optimiser, and they differ")
    func optimisers() throws {
        let golden = try Golden.load()
        for (mode, expected) in [
            (DecayMode.sgd, golden.sgd), (.decoupled, golden.decoupled), (.l2, golden.l2),
        ] {
            let (weights, gradient) = (golden.weights.matrix, golden.gradient.matrix)
            try WeightDecay(mode: mode, rate: 0.3, learningRate: 0.1)
                .step(weights.mutableView, gradient: gradient.view)
            // PyTorch computes the step in single precision: a few units of numbers near 2.
            #expect(distance(weights, expected.matrix) < 1e-6, "\(mode)")
        }
        #expect(distance(golden.sgd.matrix, golden.decoupled.matrix) > 1e-2)
        #expect(distance(golden.l2.matrix, golden.decoupled.matrix) > 1e-2)
    }

    @Test("unit-row grows and shrinks rows as the formula does, a row of zeros stays")
    func unitRows() throws {
        let golden = try Golden.load()
        for (rate, expected) in [(-0.7, golden.unitRowGrowth), (0.7, golden.unitRowDecay)] {
            let weights = golden.weights.matrix
            try WeightDecay(mode: .unitRow, rate: rate, learningRate: 0.1).step(weights.mutableView)
            // The same double precision, but for the last bit of the norm.
            #expect(distance(weights, expected.matrix) < 2e-7)
            #expect(weights.view.row(3).allSatisfy { $0 == 0 })
        }
    }

    @Test("unit-row below 0 ends at unit rows, whatever rows it starts from")
    func convergence() throws {
        let decay = try WeightDecay(mode: .unitRow, rate: -1, learningRate: 0.2)
        let weights = Matrix(rows: 2, columns: 2, elements: [0.01, 0.02, -3, 4])
        for _ in 0..<200 { decay.shrink(weights.mutableView) }
        // Each step takes a fifth of the rest; single precision's rounding remains.
        #expect(rowNorms(of: weights.view).allSatisfy { abs($0 - 1) < 1e-6 })
    }

    @Test("a rate of 0 changes nothing without a gradient", arguments: DecayMode.allCases)
    func none(mode: DecayMode) throws {
        for weights in sampleMatrices(10) {
            let before = weights.elements
            try WeightDecay(mode: mode, rate: 0, learningRate: 0.5).step(weights.mutableView)
            #expect(weights.elements == before)
        }
    }

    @Test("rates that make no sense, and what is not finite, are refused", arguments: DecayMode.allCases)
    func refusals(mode: DecayMode) throws {
        if mode != .unitRow {
            #expect(throws: WeightMethodError.self) { try WeightDecay(mode: mode, rate: -1, learningRate: 0.1) }
        }
        #expect(throws: WeightMethodError.self) { try WeightDecay(mode: mode, rate: .nan, learningRate: 0.1) }
        #expect(throws: WeightMethodError.self) { try WeightDecay(mode: mode, rate: 1, learningRate: -0.1) }
        let decay = try WeightDecay(mode: mode, rate: 0.1, learningRate: 0.1)
        #expect(refusesWhatIsNotFinite { try decay.step($0) })
        let (weights, gradient) = (Matrix(rows: 3, columns: 4), spoiled(.infinity))
        #expect(throws: WeightMethodError.notFinite(row: 1, column: 2, value: .infinity)) {
            try decay.step(weights.mutableView, gradient: gradient.view)
        }
    }
}
