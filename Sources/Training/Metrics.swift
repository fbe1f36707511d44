import Diagnostics
import Foundation
import LinearAlgebra

/// How well a model does on a labelled split.
public struct Metrics: Codable, Sendable, Equatable {
    /// Samples.
    public let count: Int
    /// Mean loss over the samples.
    public let loss: Double

    /// Classification: share of samples whose class is right.
    public var accuracy: Double?
    /// Classification: of a model with two classes the F1 of class 1; of any other the mean over the classes that occur among
    /// truths or predictions (macro), as scikit-learn takes it.
    public var f1: Double?
    /// Classification: Matthews correlation coefficient, for any number of classes.
    public var matthewsCorrelation: Double?

    /// Regression: correlation of values, and of ranks; 0 where one side is constant.
    public var pearson: Double?
    public var spearman: Double?
    public var meanSquaredError: Double?

    /// Superposition: share of the features that are represented, and the mean square overlap of their directions, beside
    /// the least possible.
    public var phiHalf: Double?
    public var meanSquareOverlap: Double?
    public var welchBound: Double?

    enum CodingKeys: String, CodingKey {
        case count, loss, accuracy, f1
        case matthewsCorrelation = "matthews_correlation"
        case pearson, spearman
        case meanSquaredError = "mean_squared_error"
        case phiHalf = "phi_half"
        case meanSquareOverlap = "mean_square_overlap"
        case welchBound = "welch_bound"
    }

    /// Metrics of a classification.
    ///
    /// - Parameters:
    ///   - predicted, expected: classes from 0.
    public init(predicted: [Int], expected: [Int], classCount: Int, meanLoss: Double) {
        precondition(predicted.count == expected.count)
        count = expected.count
        loss = meanLoss
        // Of each class: how often it is right, is the truth, and is guessed.
        var hits = [Double](repeating: 0, count: classCount)
        var (truths, guesses) = (hits, hits)
        for (guess, truth) in zip(predicted, expected) {
            truths[truth] += 1
            guesses[guess] += 1
            if guess == truth { hits[truth] += 1 }
        }
        let (right, total) = (hits.reduce(0, +), Double(count))
        accuracy = count > 0 ? right / total : 0
        func score(ofClass index: Int) -> Double {
            let sum = truths[index] + guesses[index]
            return sum > 0 ? 2 * hits[index] / sum : 0
        }
        let occurring = (0..<classCount).filter { truths[$0] + guesses[$0] > 0 }
        f1 =
            classCount == 2
            ? score(ofClass: 1)
            : occurring.reduce(0) { $0 + score(ofClass: $1) } / Double(max(occurring.count, 1))
        let agreement = right * total - zip(truths, guesses).reduce(0) { $0 + $1.0 * $1.1 }
        let spread =
            (total * total - guesses.reduce(0) { $0 + $1 * $1 }) * (total * total - truths.reduce(0) { $0 + $1 * $1 })
        matthewsCorrelation = spread > 0 ? agreement / spread.squareRoot() : 0
    }

    /// Metrics of a regression.
    public init(predicted: [Double], expected: [Double]) {
        precondition(predicted.count == expected.count)
        count = expected.count
        let squares = zip(predicted, expected).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        loss = count > 0 ? squares / Double(count) : 0
        meanSquaredError = loss
        pearson = Self.correlation(predicted, expected)
        spearman = Self.correlation(Self.ranks(predicted), Self.ranks(expected))
    }

    /// Metrics of a superposition network.
    ///
    /// - Parameter geometry: of its W; nil if that is not finite.
    init(count: Int, loss: Double, geometry: RowGeometry?) {
        self.count = count
        self.loss = loss
        phiHalf = geometry?.longShare
        meanSquareOverlap = geometry?.meanSquareOverlap
        welchBound = geometry?.welchBound
    }

    /// These metrics.
    ///
    /// - Parameter what: was measured.
    /// - Throws: ``TrainingError`` if the loss is not finite.
    public func finite(_ what: String) throws(TrainingError) -> Metrics {
        guard loss.isFinite else {
            throw TrainingError(
                .badData,
                "\(what): the loss is not finite, so the weights are of no use; train anew with a lower optimizer.lr, or with"
                    + " optimizer.max_grad_norm")
        }
        return self
    }

    /// Pearson's correlation; 0 where one side is constant.
    static func correlation(_ a: [Double], _ b: [Double]) -> Double {
        guard !a.isEmpty else { return 0 }
        let meanA = a.reduce(0, +) / Double(a.count)
        let meanB = b.reduce(0, +) / Double(b.count)
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
    }

    /// Ranks from 1, equal values sharing the mean of theirs.
    static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for index in start..<end { ranks[order[index]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// The metrics under their names in files, in a fixed order.
    public var named: [(name: String, value: Double)] {
        [
            ("accuracy", accuracy), ("f1", f1), ("matthews_correlation", matthewsCorrelation), ("pearson", pearson),
            ("spearman", spearman), ("mean_squared_error", meanSquaredError), ("phi_half", phiHalf),
            ("mean_square_overlap", meanSquareOverlap), ("welch_bound", welchBound), ("loss", loss),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}
