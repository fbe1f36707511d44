import CKernels
public import LinearAlgebra

/// σ_max(PΛQ) of one module's triplets, without forming the product: from above, by less than a millionth of it.
///
/// - Parameter rows: `[P_i | λ_i | Q_i]`, [r, outputs + 1 + inputs].
public func spectralNorm(ofTriplets rows: MatrixView, outputs: Int) -> Double {
    let count = rows.rows
    guard count > 0 else { return 0 }
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * count * count + count) { workspace in
        guard let base = workspace.baseAddress else { return 0 }
        return kernel_triplets_spectral_norm(
            rows.base, rows.stride, outputs, rows.columns - outputs - 1, count, base)
    }
}
