import Foundation

/// y = coefficient · x^exponent, fitted by least squares of the logarithms.
public struct PowerLaw: Sendable, Equatable {
    public let exponent: Double
    /// Of the exponent; nil for two points, which leave nothing to judge it by.
    public let standardError: Double?
    public let coefficient: Double
    public let pointCount: Int

    /// - Parameters:
    ///   - x: as many as `y`.
    /// - Returns: nil for fewer than two different x, or a number that is not finite and above 0.
    public init?(x: [Double], y: [Double]) {
        let isUsable = { (number: Double) in number > 0 && number.isFinite }
        guard x.count == y.count, x.count >= 2, x.allSatisfy(isUsable), y.allSatisfy(isUsable) else { return nil }
        let (logX, logY, count) = (x.map { log($0) }, y.map { log($0) }, Double(x.count))
        let (meanX, meanY) = (logX.reduce(0, +) / count, logY.reduce(0, +) / count)
        let spread = logX.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        guard Set(x).count > 1, spread > 0 else { return nil }
        let product = zip(logX, logY).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        let slope = product / spread
        let residual = zip(logX, logY).reduce(0) { sum, point in
            let difference = point.1 - meanY - slope * (point.0 - meanX)
            return sum + difference * difference
        }
        exponent = slope
        standardError = x.count > 2 ? (residual / (count - 2) / spread).squareRoot() : nil
        coefficient = exp(meanY - slope * meanX)
        pointCount = x.count
    }

    /// The exponent of y^power if that is a power law, too, with an exponent known to within `error`; errors are taken as
    /// independent.
    public func exponent(times power: Double, error: Double) -> (value: Double, standardError: Double?) {
        (
            exponent * power,
            standardError.map { ($0 * power * ($0 * power) + exponent * error * (exponent * error)).squareRoot() }
        )
    }

    public func value(at x: Double) -> Double { coefficient * pow(x, exponent) }
}
