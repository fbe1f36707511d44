/// What the elements of a tensor are like. Parts of a tensor are described apart and joined in order.
public struct TensorStatistics: Sendable, Equatable {
    /// Elements that are finite.
    public private(set) var count = 0
    /// Elements that are NaN or infinite, which nothing else here counts.
    public private(set) var notFinite = 0
    public private(set) var zeros = 0
    public private(set) var minimum = Double.infinity
    public private(set) var maximum = -Double.infinity
    public private(set) var mean = 0.0
    /// Σ (w − mean)².
    private var deviations = 0.0
    private var squares = 0.0

    public init() {}

    /// The variance is taken in two passes.
    public init(of values: UnsafeBufferPointer<Float>) {
        var sum = 0.0
        for index in 0..<values.count {
            guard values[index].isFinite else {
                notFinite += 1
                continue
            }
            let value = Double(values[index])
            count += 1
            if value == 0 { zeros += 1 }
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            sum += value
            squares += value * value
        }
        guard count > 0 else { return }
        mean = sum / Double(count)
        for index in 0..<values.count where values[index].isFinite {
            let difference = Double(values[index]) - mean
            deviations += difference * difference
        }
    }

    /// Takes in the elements that follow (Chan, Golub and LeVeque 1983).
    public mutating func append(_ other: TensorStatistics) {
        let total = count + other.count
        if total > 0 {
            let difference = other.mean - mean
            let share = Double(other.count) / Double(total)
            deviations += other.deviations + difference * difference * Double(count) * share
            mean += difference * share
        }
        count = total
        notFinite += other.notFinite
        zeros += other.zeros
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        squares += other.squares
    }

    /// The standard deviation of the elements themselves (divided by their count).
    public var standardDeviation: Double { count > 0 ? (deviations / Double(count)).squareRoot() : 0 }
    /// The Euclidean (for a matrix, Frobenius) norm.
    public var norm: Double { squares.squareRoot() }
}
