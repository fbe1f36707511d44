public import WeightMethods

/// What a method did to a tensor. Parts are joined in the order of their rows.
public struct TensorChange: Codable, Sendable {
    public private(set) var before: TensorStatistics
    public private(set) var after: TensorStatistics
    /// Weights that are not what they were.
    public private(set) var changed = 0
    /// The farthest that a finite weight moved.
    public private(set) var largestChange = 0.0
    /// Rows of zeros, which have no direction.
    public internal(set) var zeroRows = 0
    /// σ_max before, where the method needed it.
    public internal(set) var spectralNorm: Double?

    init(from before: [Float], to after: [Float]) {
        self.before = before.withUnsafeBufferPointer { TensorStatistics(of: $0) }
        self.after = after.withUnsafeBufferPointer { TensorStatistics(of: $0) }
        for index in 0..<before.count where before[index] != after[index] {
            changed += 1
            let distance = (Double(after[index]) - Double(before[index])).magnitude
            if distance.isFinite { largestChange = max(largestChange, distance) }
        }
    }

    /// Takes in the rows that follow.
    mutating func append(_ other: TensorChange) {
        before.append(other.before)
        after.append(other.after)
        changed += other.changed
        largestChange = max(largestChange, other.largestChange)
        zeroRows += other.zeroRows
        spectralNorm = spectralNorm ?? other.spectralNorm
    }
}
