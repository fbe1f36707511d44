import Diagnostics
import Foundation
import LinearAlgebra
public import MessagePassing
import Safetensors
import WeightMethods

/// The spectra of the matrices of a file, or of a model's folder.
public struct SpectrumReport: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        public let tensor: String
        public let shape: [Int]
        public let frobeniusNorm: Double
        public let spectralNorm: Double
        public let effectiveRank: Double
        public let stableRank: Double
        public let rank90: Int
        public let rank99: Int
        /// Smallest, mean, largest.
        public let rowNorms: [Double]
        public let zeroRows: Int
        /// φ½.
        public let shareOfLongRows: Double
        public let meanSquaredOverlap: Double?
        /// The mean squared overlap times the columns; about 1 for random rows.
        public let overlapTimesColumns: Double?
        public let welchBound: Double?
        /// Welch's bound times the columns.
        public let welchTimesColumns: Double?

        init(_ tensor: TensorDescription, _ spectrum: Spectrum) {
            self.tensor = tensor.name
            shape = tensor.shape
            frobeniusNorm = spectrum.frobeniusNorm
            spectralNorm = spectrum.spectralNorm
            effectiveRank = spectrum.effectiveRank
            stableRank = spectrum.stableRank
            rank90 = spectrum.rank90
            rank99 = spectrum.rank99
            rowNorms = [spectrum.smallestRowNorm, spectrum.meanRowNorm, spectrum.largestRowNorm]
            zeroRows = spectrum.zeroRows
            shareOfLongRows = spectrum.shareOfLongRows
            meanSquaredOverlap = spectrum.meanSquaredOverlap
            welchBound = spectrum.welchBound
            let columns = Double(spectrum.columns)
            overlapTimesColumns = spectrum.meanSquaredOverlap.map { $0 * columns }
            welchTimesColumns = spectrum.welchBound.map { $0 * columns }
        }

        enum CodingKeys: String, CodingKey {
            case tensor, shape
            case frobeniusNorm = "frobenius_norm"
            case spectralNorm = "spectral_norm"
            case effectiveRank = "effective_rank"
            case stableRank = "stable_rank"
            case rank90 = "rank_90"
            case rank99 = "rank_99"
            case rowNorms = "row_norms"
            case zeroRows = "zero_rows"
            case shareOfLongRows = "phi_half"
            case meanSquaredOverlap = "mean_squared_overlap"
            case overlapTimesColumns = "overlap_times_columns"
            case welchBound = "welch_bound"
            case welchTimesColumns = "welch_times_columns"
        }
    }

    public let tensors: [Row]

    /// Collective. Every matrix is one process's work, so that its figures do not depend on how many there are.
    ///
    /// - Parameter patterns: names of tensors, see ``TensorSelection``; none means every matrix.
    public init(path: String, patterns: [String] = [], _ communicator: borrowing Communicator) throws {
        let source = try WeightSource(path: path)
        let chosen = try TensorSelection(
            patterns, among: source.tensors, need: .matrix, use: "spectrum", path: path
        ).tensors
        // The Gram matrix twice, and its eigenvalues.
        let costs = chosen.map { tensor in
            let (rows, columns) = tensor.matrixShape
            let order = Double(min(rows, columns))
            return 2 * order * Double(tensor.count) + 2 * order * order * order
        }
        let spectra = try communicator.share(costs) { index in
            let tensor = chosen[index]
            let values = try source.floats(of: tensor, elements: 0..<tensor.count)
            do {
                return try values.withUnsafeMatrix(tensor.matrixShape) { view throws(WeightMethodError) in
                    try Spectrum(of: view)
                }
            } catch let error as WeightMethodError {
                throw WeightFileError(error.kind, "\(path): tensor '\(tensor.name)': \(error)")
            }
        }
        tensors = zip(chosen, spectra).map { Row($0, $1) }
    }

    /// For people.
    public var text: String {
        let header = [
            "tensor", "shape", "‖W‖_F", "σ_max", "effective", "stable", "90 %", "99 %", "rows min", "mean", "max", "φ½",
            "overlap²·m", "Welch·m",
        ]
        func figure(_ value: Double?, _ digits: Int) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? "–"
        }
        return TextTable.text(
            header: header,
            rows: tensors.map { row in
                [
                    row.tensor, TextTable.shape(row.shape), figure(row.frobeniusNorm, 3), figure(row.spectralNorm, 3),
                    figure(row.effectiveRank, 1), figure(row.stableRank, 2), String(row.rank90), String(row.rank99),
                ] + row.rowNorms.map { figure($0, 3) }
                    + [
                        figure(row.shareOfLongRows, 4), figure(row.overlapTimesColumns, 4),
                        figure(row.welchTimesColumns, 4),
                    ]
            })
    }
}
