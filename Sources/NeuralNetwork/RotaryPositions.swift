internal import CKernels
internal import Foundation
internal import LinearAlgebra

/// Rotary position embeddings (Su et al. 2021) with pairs that lie half a head apart: the columns i and i + n of a head, of n
/// pairs, turn by the angle position · f_i. Columns behind the pairs stay as they are. Positions restart in each sequence.
///
/// Layers with the same frequencies may share one, and with it the tables of cosines and sines.
public final class RotaryPositions {
    private let frequencies: [Float]
    private let factor: Float
    private let cosines = Matrix(), sines = Matrix()  // [positions, pairs]

    /// - Parameters:
    ///   - frequencies: f_i, the angle from one position to the next, of each pair of columns.
    ///   - factor: what cosines and sines are multiplied by.
    public init(frequencies: [Float], factor: Float = 1) {
        self.frequencies = frequencies
        self.factor = factor
    }

    /// f_i = base^(−2i/width) for all pairs of a head, each step rounded to single precision, as transformers computes it.
    ///
    /// - Parameter width: columns of a head that turn, an even number.
    public convenience init(base: Double, width: Int) {
        precondition(width >= 0 && width.isMultiple(of: 2))
        self.init(
            frequencies: stride(from: 0, to: width, by: 2).map {
                1 / Float(pow(Double(Float(base)), Double(Float($0) / Float(width))))
            })
    }

    /// Turns heads that lie next to each other.
    ///
    /// - Parameters:
    ///   - values: [T, at least heads · width].
    ///   - direction: 1, or −1 to turn back, as a gradient does.
    func turn(_ values: MutableMatrixView, headCount: Int, headWidth: Int, direction: Float, batch: PackedBatch) {
        precondition(headCount * headWidth <= values.columns && 2 * frequencies.count <= headWidth)
        prepare(batch.sequences.map(\.rows.count).max() ?? 0)
        for sequence in batch.sequences {
            kernel_rotate(
                values[rows: sequence.rows].base, values.stride, cosines.pointer, sines.pointer, direction,
                sequence.rows.count, headCount, headWidth, frequencies.count)
        }
    }

    /// Tables for so many positions, or more.
    private func prepare(_ count: Int) {
        guard count > cosines.rows else { return }
        let rows = max(count, 2 * cosines.rows)
        cosines.resize(rows: rows, columns: frequencies.count)
        sines.resize(rows: rows, columns: frequencies.count)
        for position in 0..<rows {
            for (pair, frequency) in frequencies.enumerated() {
                let angle = Double(Float(position) * frequency)
                cosines[position, pair] = Float(cos(angle)) * factor
                sines[position, pair] = Float(sin(angle)) * factor
            }
        }
    }
}
