import CKernels
public import LinearAlgebra

/// The regulariser that keeps P and Q near orthonormal columns and rows, γ·R.
public struct OrthogonalityRegularizer: Sendable {
    public enum Form: String, Sendable, CaseIterable {
        /// R = Σ ‖PᵀP − I‖²_F + ‖QQᵀ − I‖²_F over the modules (equation 4).
        case paper
        /// R = the mean of the unsquared norms over all P and Q, as PEFT computes it.
        case peft
    }

    public let form: Form
    /// γ, PEFT's `orth_reg_weight`.
    public let weight: Double
    /// Modules that carry an adapter.
    public let moduleCount: Int

    public init(form: Form, weight: Double, moduleCount: Int) {
        self.form = form
        self.weight = weight
        self.moduleCount = moduleCount
    }

    /// The part of γ·R that one module contributes, and its gradient.
    ///
    /// - Parameters:
    ///   - rows: the module's triplets, `[P_i | λ_i | Q_i]`, [r, outputs + 1 + inputs].
    ///   - gradient: of the same shape; replaced, with 0 for the singular values.
    public func evaluate(rows: MatrixView, outputs: Int, gradient: MutableMatrixView) -> Double {
        let inputs = rows.columns - outputs - 1
        for triplet in 0..<rows.rows { gradient.rowStart(triplet)[outputs] = 0 }
        func part(from column: Int, _ count: Int) -> Double {
            evaluate(
                MatrixView(base: rows.base + column, rows: rows.rows, columns: count, stride: rows.stride),
                gradient: MutableMatrixView(
                    base: gradient.base + column, rows: rows.rows, columns: count, stride: gradient.stride))
        }
        return part(from: 0, outputs) + part(from: outputs + 1, inputs)
    }

    /// For the rows V of P (transposed) or Q: G = V·Vᵀ − I; d‖G‖²_F/dV = 4·G·V, d‖G‖_F/dV = 2·G·V/‖G‖_F.
    private func evaluate(_ vectors: MatrixView, gradient: MutableMatrixView) -> Double {
        let gram = Matrix(rows: vectors.rows, columns: vectors.rows)
        RowProducts.multiply(vectors, vectors, .transposed, into: gram.mutableView)
        for index in 0..<vectors.rows { gram[index, index] -= 1 }
        let squaredNorm = gram.elements.reduce(0) { $0 + Double($1) * Double($1) }
        let norm = squaredNorm.squareRoot()
        let share = 1 / Double(max(2 * moduleCount, 1))
        let (value, factor) =
            switch form {
            case .paper: (squaredNorm, 4.0)
            case .peft: (norm * share, norm > 0 ? 2 * share / norm : 0)
            }
        kernel_scale(gram.pointer, Float(weight * factor), gram.rows * gram.columns)
        RowProducts.multiply(gram.view, vectors, .none, into: gradient)
        // A view does not keep its matrix alive.
        withExtendedLifetime(gram) {}
        return weight * value
    }
}
