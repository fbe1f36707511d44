import Foundation

/// How the loss of one kind of network falls with its hidden numbers: loss ∝ m^−exponent.
public struct ScalingFit: Codable, Equatable, Sendable {
    public let alpha: Double
    public let gamma: Double
    public let n: Int
    /// Cells that were fitted, all m and seeds.
    public let cells: Int
    /// α_m, and its standard error.
    public let exponent: Double
    public let standardError: Double?
    public let coefficient: Double
    /// The exponent that the loss of the features which are not represented would have, with as many represented as the
    /// measured φ½ says: that of weak superposition. Nil where all are represented.
    public let unrepresentedExponent: Double?
    /// Over the cells.
    public let smallestPhiHalf, largestPhiHalf: Double
    public let smallestOverlapTimesM, largestOverlapTimesM: Double?

    /// One fit for each (α, γ, n) with two different m at least, in the order of the cells.
    static func all(of results: [CellResult]) -> [ScalingFit] {
        var groups: [(key: SeriesKey, results: [CellResult])] = []
        for result in results where (result.measures?.loss ?? 0) > 0 {
            let key = SeriesKey(result.cell)
            if let index = groups.firstIndex(where: { $0.key == key }) {
                groups[index].results.append(result)
            } else {
                groups.append((key, [result]))
            }
        }
        return groups.compactMap { ScalingFit(key: $0.key, results: $0.results) }
    }

    private init?(key: SeriesKey, results: [CellResult]) {
        let measures = results.compactMap(\.measures)
        let m = results.map { Double($0.cell.m) }
        guard let law = PowerLaw(x: m, y: measures.map(\.loss)) else { return nil }
        alpha = key.alpha
        gamma = key.gamma
        n = key.n
        cells = law.pointCount
        exponent = -law.exponent
        standardError = law.standardError
        coefficient = law.coefficient
        unrepresentedExponent = PowerLaw(x: m, y: measures.map(\.unrepresentedLoss)).map { -$0.exponent }
        let (shares, overlaps) = (measures.map(\.phiHalf), measures.compactMap(\.overlapTimesM))
        smallestPhiHalf = shares.min() ?? 0
        largestPhiHalf = shares.max() ?? 0
        smallestOverlapTimesM = overlaps.min()
        largestOverlapTimesM = overlaps.max()
    }

    /// The fitted loss of a network.
    func loss(hidden: Double) -> Double { coefficient * pow(hidden, -exponent) }

    /// One line of JSON.
    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// What the cells of one line in the figure have in common.
struct SeriesKey: Hashable {
    let alpha, gamma: Double
    let n: Int

    init(_ cell: SweepCell) { (alpha, gamma, n) = (cell.alpha, cell.gamma, cell.n) }

    init(_ fit: ScalingFit) { (alpha, gamma, n) = (fit.alpha, fit.gamma, fit.n) }

    var title: String { "α \(alpha.yamlText), γ \(gamma.yamlText), n \(n)" }
}
