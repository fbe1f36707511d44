import Diagnostics

/// How many singular triplets a factorisation keeps.
public enum RankChoice: Sendable, Equatable {
    /// So many.
    case rank(Int)
    /// Those whose singular value is above a number.
    case sigmaAbove(Double)
    /// As few as hold a share of the energy Σσ² = ‖M‖²_F.
    case energy(Double)

    /// The rank, from the singular values that are known, largest first.
    ///
    /// - Parameters:
    ///   - values: all singular values, or the largest of them.
    ///   - isComplete: whether these are all.
    ///   - squaredNorm: ‖M‖²_F.
    /// - Returns: nil if values that are not known yet must be kept, or could.
    func rank(of values: [Double], isComplete: Bool, squaredNorm: Double) -> Int? {
        switch self {
        case .rank(let rank): return rank <= values.count ? rank : nil
        case .sigmaAbove(let threshold):
            let rank = values.prefix { $0 > threshold }.count
            return rank < values.count || isComplete ? rank : nil
        case .energy(let share):
            var sum = 0.0
            for (index, value) in values.enumerated() {
                sum += value * value
                if sum >= share * squaredNorm { return index + 1 }
            }
            // All of them, where rounding keeps the sum of all below the whole.
            return isComplete ? values.count : nil
        }
    }

    /// Checks the choice for a matrix.
    ///
    /// - Throws: ``FactorizationError`` for a rank of 0 or above the matrix's smaller side, and for numbers out of range.
    public func validate(rows: Int, columns: Int) throws(FactorizationError) {
        let most = min(rows, columns)
        switch self {
        case .rank(let rank):
            guard rank >= 1, rank <= most else {
                throw FactorizationError(
                    .usage, "rank \(rank) of a \(rows) × \(columns) matrix; expected a rank from 1 to \(most)")
            }
        case .sigmaAbove(let threshold):
            guard threshold >= 0, threshold.isFinite else {
                throw FactorizationError(
                    .usage, "singular values above \(threshold); expected a finite number from 0")
            }
        case .energy(let share):
            guard share > 0, share <= 1 else {
                throw FactorizationError(.usage, "a share of \(share) of the energy; expected above 0, and 1 at most")
            }
        }
    }
}
