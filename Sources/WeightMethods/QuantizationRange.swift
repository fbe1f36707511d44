public import LinearAlgebra

/// The 2^bits evenly spaced values from the lowest to the highest of a group of weights.
///
///     code  = round((w − low)/(high − low)·(2^bits − 1))      half to even
///     value = code·(high − low)/(2^bits − 1) + low
///
/// computed in double precision and rounded to single. `low` and `high` themselves come back exactly; no weight moves by
/// more than half a step; a group of one value comes back as it is.
public struct QuantizationRange: Sendable, Equatable {
    public let low: Float
    public let high: Float
    public let bits: Int
    private let width: Double
    private let levels: Double

    /// - Precondition: `low` ≤ `high`, both finite; bits from 1 to 16 (see ``requireBits(_:)``).
    public init(low: Float, high: Float, bits: Int) {
        precondition(low <= high && (1...16).contains(bits))
        self.low = low
        self.high = high
        self.bits = bits
        width = Double(high) - Double(low)
        levels = Double(1 << bits - 1)
    }

    /// - Throws: ``WeightMethodError/badSetting(_:)`` unless bits are from 1 to 16.
    public static func requireBits(_ bits: Int) throws(WeightMethodError) {
        guard (1...16).contains(bits) else { throw .badSetting("bits are \(bits), expected 1 to 16") }
    }

    /// The distance of two neighbours.
    public var step: Double { width / levels }

    /// - Precondition: `low` ≤ `weight` ≤ `high`.
    public func code(_ weight: Float) -> UInt16 {
        guard width > 0 else { return 0 }
        return UInt16(((Double(weight) - Double(low)) / width * levels).rounded(.toNearestOrEven))
    }

    /// The value of a code below 2^bits.
    public func value(_ code: UInt16) -> Float {
        Double(code) == levels ? high : Float(Double(code) * width / levels + Double(low))
    }
}

/// The lowest and the highest of some weights; nil of none.
public func range(of weights: UnsafeBufferPointer<Float>) -> (low: Float, high: Float)? {
    guard var low = weights.first else { return nil }
    var high = low
    for index in 1..<weights.count {
        low = min(low, weights[index])
        high = max(high, weights[index])
    }
    return (low, high)
}

/// Quantises in place: every weight becomes the value of its code.
///
/// - Parameter group: neighbours in a row that share a range, the last group of a row may have fewer; nil gives the whole
///   matrix one.
/// - Returns: the largest distance that a weight moved.
/// - Throws: ``WeightMethodError``; nothing is changed then.
@discardableResult
public func roundToCodes(_ weights: MutableMatrixView, bits: Int, group: Int? = nil) throws(WeightMethodError) -> Float
{
    let quantized = try QuantizedMatrix(weights.view, bits: bits, group: group)
    var error: Float = 0
    var values = [Float](repeating: 0, count: weights.columns)
    for row in 0..<weights.rows {
        values.withUnsafeMutableBufferPointer { quantized.fill($0, fromRow: row) }
        let target = weights.row(row)
        for column in 0..<target.count {
            error = max(error, (target[column] - values[column]).magnitude)
            target[column] = values[column]
        }
    }
    return error
}
