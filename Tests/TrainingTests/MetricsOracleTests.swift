import Testing

@testable import Training

/// Values of scikit-learn 1.9's `f1_score(average="macro")`, `matthews_corrcoef` and `accuracy_score`; see
/// Tests/goldens/make_metric_goldens.py.
@Suite("Metrics of classes that do not all occur")
struct MetricsOracleTests {
    static let cases: [([Int], [Int], Int, Double, Double, Double)] = [
        ([1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 1], 4, 0.8222222222222223, 0.8333333333333334, 0.7833494518006403),
        ([1, 2, 1, 2], [1, 2, 1, 2], 3, 1.0, 1.0, 1.0),
        ([1, 2, 1, 2], [1, 2, 2, 2], 3, 0.7333333333333334, 0.75, 0.5773502691896258),
        ([0, 2, 2, 0], [0, 2, 2, 0], 3, 1.0, 1.0, 1.0),
        ([5, 5, 7], [5, 7, 7], 10, 0.6666666666666666, 0.6666666666666666, 0.5),
        ([1, 1, 2], [3, 1, 2], 4, 0.5555555555555555, 0.6666666666666666, 0.6123724356957946),
        ([0, 1, 2, 3], [0, 1, 2, 3], 4, 1.0, 1.0, 1.0),
        ([0, 1, 2, 3], [1, 2, 3, 0], 4, 0.0, 0.0, -0.3333333333333333),
        ([2, 2, 2], [2, 2, 2], 3, 1.0, 1.0, 0.0),
        ([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 3, 0.26666666666666666, 0.3333333333333333, 0.0),
    ]

    @Test("are scikit-learn's", arguments: cases)
    func values(
        truths: [Int], predictions: [Int], classes: Int, f1: Double, accuracy: Double, matthews: Double
    ) throws {
        let metrics = Metrics(predicted: predictions, expected: truths, classCount: classes, meanLoss: 0)
        #expect(abs(try #require(metrics.f1) - f1) < 1e-12)
        #expect(abs(try #require(metrics.accuracy) - accuracy) < 1e-12)
        #expect(abs(try #require(metrics.matthewsCorrelation) - matthews) < 1e-12)
    }
}
