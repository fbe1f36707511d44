import AdaLoRA
import LinearAlgebra
import Testing
import WeightMethods

@Suite("Clipping and sparsification")
struct ElementTests {
    @Test("are PyTorch's")
    func goldens() throws {
        let golden = try Golden.load()
        let clipped = golden.weights.matrix
        try clip(clipped.mutableView, to: 0.75)
        #expect(clipped.elements == golden.clipped.values)
        let sparse = golden.weights.matrix
        try sparsify(sparse.mutableView, below: 0.5)
        #expect(sparse.elements == golden.sparse.values)
    }

    @Test("|w| = τ stays, unlike with hardshrink")
    func threshold() throws {
        let weights = Matrix(rows: 1, columns: 4, elements: [0.5, -0.5, 0.49, 0])
        #expect(try sparsify(weights.mutableView, below: 0.5) == 1)
        #expect(weights.elements == [0.5, -0.5, 0, 0])
    }

    @Test("bound every weight, leave those within, and do nothing the second time")
    func properties() throws {
        for (index, weights) in sampleMatrices(60).enumerated() {
            let before = weights.elements
            let limit = (before.map(\.magnitude).max() ?? 0) * Float(index % 7) / 6
            try clip(weights.mutableView, to: limit)
            #expect(
                zip(weights.elements, before).allSatisfy { $0.magnitude <= limit && ($1.magnitude > limit || $0 == $1) }
            )
            #expect(try clip(weights.mutableView, to: limit) == 0)
            let sparse = Matrix(rows: weights.rows, columns: weights.columns, elements: before)
            try sparsify(sparse.mutableView, below: limit)
            #expect(zip(sparse.elements, before).allSatisfy { $1.magnitude >= limit ? $0 == $1 : $0 == 0 })
            #expect(try sparsify(sparse.mutableView, below: limit) == 0)
        }
    }

    @Test(
        "to a number of weights is AdaLoRA's top-b, ties to the first; without ties it is the threshold of the b-th largest"
    )
    func topB() throws {
        for weights in sampleMatrices(30) {
            let before = weights.elements
            let count = before.count / 3
            let kept = Selection(scores: before.map(\.magnitude), budget: count).kept
            try sparsify(weights.mutableView, keeping: count)
            #expect(zip(weights.elements, zip(before, kept)).allSatisfy { $0 == ($1.1 ? $1.0 : 0) })
        }
        let values: [Float] = [3, -1, 2, -4, 0.5, 1.5]
        let byCount = Matrix(rows: 2, columns: 3, elements: values)
        let byThreshold = Matrix(rows: 2, columns: 3, elements: values)
        try sparsify(byCount.mutableView, keeping: 3)
        try sparsify(byThreshold.mutableView, below: 2)
        #expect(byCount.elements == [3, 0, 2, -4, 0, 0] && byThreshold.elements == byCount.elements)
        let ties = Matrix(rows: 1, columns: 3, elements: [1, -1, 1])
        try sparsify(ties.mutableView, keeping: 2)
        #expect(ties.elements == [1, -1, 0])
    }

    @Test("refuse what is not finite, and bounds below 0")
    func refusals() {
        #expect(refusesWhatIsNotFinite { try clip($0, to: 1) })
        #expect(refusesWhatIsNotFinite { try sparsify($0, below: 1) })
        #expect(refusesWhatIsNotFinite { try sparsify($0, keeping: 1) })
        let weights = Matrix(rows: 1, columns: 1, elements: [1])
        for bound in [-1, Float.nan, .infinity] {
            #expect(throws: WeightMethodError.self) { try clip(weights.mutableView, to: bound) }
            #expect(throws: WeightMethodError.self) { try sparsify(weights.mutableView, below: bound) }
        }
        #expect(throws: WeightMethodError.self) { try sparsify(weights.mutableView, keeping: -1) }
        #expect(weights.elements == [1])
    }
}
