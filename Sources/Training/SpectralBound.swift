import AdaLoRA
import LinearAlgebra
import NeuralNetwork
import PEFTFormat

/// Keeps σ(ΔW) = σ(s·PΛQ) of every module at or below a limit: what exceeds it is scaled down by its λ.
struct SpectralBound {
    private let limit: Double
    private let scale: Double

    /// - Returns: nil where the configuration sets no limit.
    init?(_ configuration: TrainingConfiguration) {
        guard let limit = configuration.adapter.largestSpectralNorm else { return nil }
        self.limit = limit
        scale = Double(configuration.adapterSettings.scale)
    }

    /// Bounds all modules of the replica. A module may have several owners, so every process does it for all: with the same
    /// numbers, and so to the same bits.
    ///
    /// - Parameters:
    ///   - blocks: of triplets.
    ///   - parameters: laid out as the blocks say.
    func apply(to blocks: [ParameterLayout.Block], parameters: UnsafeMutablePointer<Float>) {
        for block in blocks {
            guard let outputs = block.outputs else { continue }
            let rows = MutableMatrixView(
                base: parameters + block.elements.lowerBound, rows: block.rows.count,
                columns: block.rowWidth)
            let norm = scale * spectralNorm(ofTriplets: rows.view, outputs: outputs)
            guard norm > limit else { continue }
            // A little less, so that rounding λ does not take it past the limit.
            let factor = limit / norm * (1 - 0x1p-22)
            for row in 0..<rows.rows {
                rows.rowStart(row)[outputs] = Float(Double(rows.rowStart(row)[outputs]) * factor)
            }
        }
    }
}
