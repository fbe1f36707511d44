internal import CKernels
import Foundation
public import LinearAlgebra

/// A batch that cannot be normalised.
public struct BatchNormalizationError: Error, Equatable, CustomStringConvertible {
    /// Rows of the global batch.
    public let rowCount: Int

    public var description: String {
        "batch norm: the batch has \(rowCount) row\(rowCount == 1 ? "" : "s"), expected at least 2; "
            + "one has no variance, use a larger batch"
    }
}

/// `(x − μ)/√(σ² + ε)·gain + offset` with μ and σ² of each column over the *global* batch, as PyTorch's `batch_norm`.
///
/// The biased variance normalises; the unbiased one goes into the running statistics. Statistics are sums within lanes, added up
/// over the lanes by a function that the job provides, so that they have the same bits for any number of processes. The
/// variance is taken around the mean, in a pass of its own.
public final class BatchNormalization {
    /// From one vector for each lane of this process to the sum over all lanes of the global batch, by the lane tree.
    public typealias LaneSum = (_ laneVectors: [[Double]]) throws -> [Double]

    private let gain: NetworkTensor
    private let offset: NetworkTensor
    private let columns: Int
    private let epsilon: Double
    private let momentum: Double
    /// Running mean and unbiased running variance of each column; 0 and 1 at the start.
    public private(set) var runningMean: [Double]
    public private(set) var runningVariance: [Double]

    private let normalized = Matrix()  // [T, columns], of the latest training batch
    private var inverseDeviation: [Double] = []
    private var count = 0.0

    /// - Parameters:
    ///   - gain: [columns].
    ///   - offset: [columns].
    ///   - momentum: the share of the latest batch in the running statistics.
    public init(
        gain: NetworkTensor, offset: NetworkTensor, columns: Int, epsilon: Double = 1e-5, momentum: Double = 0.1
    ) {
        self.gain = gain
        self.offset = offset
        self.columns = columns
        self.epsilon = epsilon
        self.momentum = momentum
        runningMean = [Double](repeating: 0, count: columns)
        runningVariance = [Double](repeating: 1, count: columns)
    }

    /// - Parameters:
    ///   - input: [T, columns], contiguous.
    ///   - lanes: the rows of each lane of this process.
    ///   - rowCount: of the global batch.
    ///   - output: [T, columns], contiguous.
    ///   - pass: of training, or with the running statistics.
    /// - Throws: ``BatchNormalizationError`` in training on one row, and what `sum` throws.
    public func forward(
        _ input: MatrixView, lanes: [Range<Int>], rowCount: Int, into output: MutableMatrixView, pass: Pass,
        sum: LaneSum
    ) throws {
        var mean = runningMean
        var variance = runningVariance
        if pass.isTraining {
            guard rowCount > 1 else { throw BatchNormalizationError(rowCount: rowCount) }
            count = Double(rowCount)
            let zero = [Double](repeating: 0, count: columns)
            mean = try sum(moments(of: input, lanes, around: zero, power: 1)).map { $0 / count }
            let squares = try sum(moments(of: input, lanes, around: mean, power: 2))
            variance = squares.map { $0 / count }
            for column in 0..<columns {
                runningMean[column] += momentum * (mean[column] - runningMean[column])
                runningVariance[column] += momentum * (squares[column] / (count - 1) - runningVariance[column])
            }
        }
        inverseDeviation = variance.map { 1 / ($0 + epsilon).squareRoot() }
        normalized.resize(rows: input.rows, columns: columns)
        for row in lanes.joined() {
            let (source, unit, target) = (input.row(row), normalized.mutableView.row(row), output.row(row))
            for column in 0..<columns {
                unit[column] = Float((Double(source[column]) - mean[column]) * inverseDeviation[column])
                target[column] = unit[column] * gain.values[column] + offset.values[column]
            }
        }
    }

    /// Sets the gradients of gain and offset, and the input's, after a `forward` of training.
    ///
    /// - Parameters:
    ///   - inputGradient: [T, columns]; replaced.
    /// - Throws: what `sum` throws.
    public func backward(
        _ outputGradient: MatrixView, lanes: [Range<Int>], inputGradient: MutableMatrixView,
        gradients: LaneGradients, sum: LaneSum
    ) throws {
        // For each lane, Σ dy and Σ dy·x̂ of each column.
        let laneSums = lanes.map { rows in
            var sums = [Double](repeating: 0, count: 2 * columns)
            for row in rows {
                let (gradient, unit) = (outputGradient.row(row), normalized.view.row(row))
                for column in 0..<columns {
                    sums[column] += Double(gradient[column])
                    sums[columns + column] += Double(gradient[column]) * Double(unit[column])
                }
            }
            return sums
        }
        for (tensor, first) in [(offset, 0), (gain, columns)] {
            guard let block = tensor.block else { continue }
            gradients.set(block) { lane, gradient in
                for column in 0..<columns { gradient[column] = Float(laneSums[lane][first + column]) }
            }
        }
        let total = try sum(laneSums)
        for row in lanes.joined() {
            let (gradient, unit, target) = (outputGradient.row(row), normalized.view.row(row), inputGradient.row(row))
            for column in 0..<columns {
                let level = total[column] / count + Double(unit[column]) * total[columns + column] / count
                target[column] = Float(
                    Double(gain.values[column]) * inverseDeviation[column] * (Double(gradient[column]) - level))
            }
        }
    }

    private func moments(
        of input: MatrixView, _ lanes: [Range<Int>], around centre: [Double], power: Int32
    ) -> [[Double]] {
        lanes.map { rows in
            var sums = [Double](repeating: 0, count: columns)
            kernel_add_moments(input[rows: rows].base, centre, power, &sums, rows.count, columns)
            return sums
        }
    }
}

extension LaneTree {
    /// Sums one vector of each lane of the global batch, element by element.
    public func total(_ laneVectors: [[Double]]) -> [Double] {
        precondition(laneVectors.count == laneCount)
        return total(laneVectors.enumerated().map { (Node(level: 0, index: $0.offset), $0.element) }) { sum, other in
            for index in sum.indices { sum[index] += other[index] }
        }
    }
}
