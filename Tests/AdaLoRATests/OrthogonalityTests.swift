import AdaLoRA
import LinearAlgebra
import Testing

@Suite("The orthogonality term")
struct OrthogonalityTests {
    private let rank = 3
    private let outputs = 5
    private let inputs = 4

    private func rows() -> Matrix {
        var x = 0.1
        return Matrix(
            rows: rank, columns: outputs + 1 + inputs,
            elements: (0..<rank * (outputs + 1 + inputs)).map { _ in
                x += 0.6180339887498949
                x -= x.rounded(.down)
                return Float(2 * x - 1)
            })
    }

    /// R of one module by its definition, in double precision.
    private func slow(_ rows: Matrix, _ form: OrthogonalityRegularizer.Form, moduleCount: Int) -> Double {
        func squaredNorm(_ columns: Range<Int>) -> Double {
            var sum = 0.0
            for i in 0..<rank {
                for j in 0..<rank {
                    let gram = columns.reduce(0.0) { $0 + Double(rows[i, $1]) * Double(rows[j, $1]) }
                    sum += (gram - (i == j ? 1 : 0)) * (gram - (i == j ? 1 : 0))
                }
            }
            return sum
        }
        let parts = [squaredNorm(0..<outputs), squaredNorm(outputs + 1..<outputs + 1 + inputs)]
        return form == .paper
            ? parts.reduce(0, +) : parts.reduce(0) { $0 + $1.squareRoot() } / Double(2 * moduleCount)
    }

    @Test("and its gradient agree with the definition", arguments: OrthogonalityRegularizer.Form.allCases)
    func gradient(form: OrthogonalityRegularizer.Form) {
        let rows = rows()
        let regularizer = OrthogonalityRegularizer(form: form, weight: 0.3, moduleCount: 2)
        let gradient = Matrix(rows: rank, columns: rows.columns)
        let value = regularizer.evaluate(rows: rows.view, outputs: outputs, gradient: gradient.mutableView)
        #expect(abs(value - 0.3 * slow(rows, form, moduleCount: 2)) < 1e-5)
        for i in 0..<rank {
            for j in 0..<rows.columns {
                let kept = rows[i, j]
                // The reference is in double precision, so that a small step costs no digits but the argument's own.
                rows[i, j] = kept + 1e-3
                let above = slow(rows, form, moduleCount: 2)
                rows[i, j] = kept - 1e-3
                let below = slow(rows, form, moduleCount: 2)
                rows[i, j] = kept
                let difference = 0.3 * (above - below) / Double((kept + 1e-3) - (kept - 1e-3))
                #expect(abs(difference - Double(gradient[i, j])) < 1e-4)
            }
            #expect(gradient[i, outputs] == 0)
        }
    }

    @Test("has no gradient where P and Q are orthonormal", arguments: OrthogonalityRegularizer.Form.allCases)
    func orthonormal(form: OrthogonalityRegularizer.Form) {
        let rows = Matrix(rows: 2, columns: 5)
        rows[0, 0] = 1
        rows[1, 1] = 1
        rows[0, 3] = 1
        rows[1, 4] = 1
        let gradient = Matrix(rows: 2, columns: 5)
        let regularizer = OrthogonalityRegularizer(form: form, weight: 1, moduleCount: 1)
        #expect(regularizer.evaluate(rows: rows.view, outputs: 2, gradient: gradient.mutableView) == 0)
        #expect(gradient.elements.allSatisfy { $0 == 0 })
    }
}
