import Factoring
import Factorization
import Foundation
import LinearAlgebra

/// What a factorisation gave, for people and as JSON.
struct FactorReport: Encodable {
    private let rows: Int
    private let columns: Int
    private let norm: Double
    private let method: String
    private let rank: Int
    private let singularValues: [Double]
    private let nextSingularValue: Double?
    private let relativeError: Double
    private let rectifiedError: Double?
    private let derivedCount: Int?
    private let derivesAbove: Double?
    private let numbers: Int
    private let output: String
    private let seconds: Double
    private let shapes: [String]
    private let clusterLines: [String]
    private let derivedLines: [String]

    enum CodingKeys: String, CodingKey {
        case rows, columns, norm, method, rank, numbers, output, seconds
        case singularValues = "singular_values"
        case nextSingularValue = "next_singular_value"
        case relativeError = "relative_error"
        case rectifiedError = "relative_error_relu"
        case derivedCount = "derived"
    }

    init(
        source: NamedMatrix, factors: Factors, clusters: ClusteredFactors?, parts: [(String, DoubleMatrix)],
        reconstruction: Reconstruction, method: String, usesReLU: Bool, derivesAbove: Double?, derives: Bool,
        showsDerived: Bool, output: String, seconds: Double
    ) {
        rows = source.matrix.rows
        columns = source.matrix.columns
        norm = source.matrix.sumOfSquares.squareRoot()
        self.method = method
        rank = clusters.map { min($0.matching.rows, $0.matching.columns) } ?? factors.rank
        singularValues = Array(factors.singularValues.prefix(rank))
        nextSingularValue = factors.singularValues.dropFirst(rank).first ?? factors.nextSingularValue
        relativeError = reconstruction.relativeError
        rectifiedError = usesReLU ? reconstruction.rectifiedError : nil
        derivedCount = derives ? reconstruction.derived.count : nil
        self.derivesAbove = derivesAbove
        numbers = parts.reduce(0) { $0 + $1.1.count }
        self.output = output
        self.seconds = seconds
        shapes = parts.map { "\($0.0) \($0.1.rows) × \($0.1.columns)" }
        derivedLines = showsDerived ? reconstruction.derived.map { FactorFile.line($0, names: source) } : []
        clusterLines = clusters.map { Self.lines($0, source: source) } ?? []
    }

    var text: String {
        func line(_ name: String, _ value: String) -> String {
            name.padding(toLength: 19, withPad: " ", startingAt: 0) + value
        }
        func decimals(_ value: Double) -> String { String(format: "%.6f", value) }
        var lines = [
            line("matrix", "\(rows) × \(columns), ‖M‖ \(decimals(norm))"), line("rank", "\(rank), by \(method)"),
        ]
        if let first = singularValues.first, let last = singularValues.last {
            let next = nextSingularValue.map { ", the next \(decimals($0))" } ?? ""
            lines.append(line("singular values", "\(decimals(first)) to \(decimals(last))\(next)"))
        }
        lines.append(line("relative error", decimals(relativeError)))
        if let rectifiedError { lines.append(line("  after ReLU", decimals(rectifiedError))) }
        lines += clusterLines
        if let derivedCount {
            let bound = derivesAbove.map { ", from \($0) on" } ?? ""
            lines.append(line("new entries", "\(derivedCount)\(bound)"))
        }
        lines += derivedLines
        let share = String(format: "%.1f", 100 * Double(numbers) / Double(rows * columns))
        lines.append(
            line("factors", "\(output): \(shapes.joined(separator: ", ")), \(share) % of the matrix's numbers"))
        lines.append(line("time", String(format: "%.1f s", seconds)))
        return lines.joined(separator: "\n")
    }

    /// The members of each cluster that belong to it most.
    private static func lines(_ clusters: ClusteredFactors, source: NamedMatrix) -> [String] {
        func lines(
            _ what: String, _ count: Int, members: [Int], weight: (_ member: Int, _ cluster: Int) -> Double,
            name: (Int) -> String
        ) -> [String] {
            (0..<count).map { cluster in
                let own = members.indices.filter { members[$0] == cluster }
                    .sorted { abs(weight($0, cluster)) > abs(weight($1, cluster)) }
                let shown = own.prefix(8).map(name).joined(separator: " ") + (own.count > 8 ? " …" : "")
                return "\(what) cluster \(cluster)  \(own.count): \(shown)"
            }
        }
        let (a, q) = (clusters.rowClusters, clusters.columnClusters)
        return lines("row", a.columns, members: clusters.clusterOfRow, weight: { a[$0, $1] }, name: source.rowName)
            + lines(
                "column", q.rows, members: clusters.clusterOfColumn, weight: { q[$1, $0] }, name: source.columnName)
    }
}
