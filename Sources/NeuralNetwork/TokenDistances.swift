import Foundation

/// How a network tells the distances of two tokens apart: which row of a table they have.
///
/// A lane of a batch has the rows that its longest sequence needs, in an order in which a row means the same whatever their
/// number: that of the same token first, then those nearest to it.
public enum TokenDistances: Sendable, Equatable {
    /// DeBERTa's: each distance below half of the buckets has its own, those beyond share some by the logarithm.
    ///
    /// - Parameters:
    ///   - span: buckets in either direction.
    ///   - buckets: nil gives every distance its own.
    ///   - largest: what the logarithms are relative to.
    case logarithmic(span: Int, buckets: Int?, largest: Int)
    /// T5's, of which half are for tokens behind, half for those in front.
    case halves(buckets: Int, largest: Int)

    /// The bucket of i − j, with its sign: `make_log_bucket_position` of transformers' DeBERTa.
    static func logarithmicBucket(_ distance: Int, buckets: Int, largest: Int) -> Int {
        let middle = buckets / 2
        guard abs(distance) > middle else { return distance }
        let logarithm =
            log(Float(abs(distance)) / Float(middle)) / log(Float(Double(largest - 1) / Double(middle)))
            * Float(middle - 1)
        return (Int(logarithm.rounded(.up)) + middle) * distance.signum()
    }

    /// T5's bucket of i − j: `relative_position_bucket` of transformers' MPNet.
    static func halfBucket(_ distance: Int, buckets: Int, largest: Int) -> Int {
        let half = buckets / 2
        let (offset, exact, far) = (distance < 0 ? half : 0, half / 2, abs(distance))
        guard far >= exact else { return offset + far }
        let logarithm =
            log(Float(far) / Float(exact)) / Float(log(Double(largest) / Double(exact))) * Float(half - exact)
        return offset + min(exact + Int(logarithm), half - 1)
    }

    /// Rows for the distances within a sequence.
    func rowCount(length: Int) -> Int {
        switch self {
        case .logarithmic: length > 1 ? 2 * abs(position(ofDistance: 1 - length)) + 1 : 1
        case .halves(let buckets, _): buckets
        }
    }

    /// The row of i − j.
    func row(ofDistance distance: Int) -> Int {
        let position = position(ofDistance: distance)
        switch self {
        case .logarithmic: return position > 0 ? 2 * position - 1 : -2 * position
        case .halves: return position
        }
    }

    /// What a row asks a table of embeddings for.
    func position(ofRow row: Int) -> Int {
        switch self {
        case .logarithmic: row % 2 == 1 ? (row + 1) / 2 : -row / 2
        case .halves: row
        }
    }

    private func position(ofDistance distance: Int) -> Int {
        switch self {
        case .logarithmic(let span, let buckets, let largest):
            let bucket =
                buckets.map { Self.logarithmicBucket(distance, buckets: $0, largest: largest) } ?? distance
            return min(max(bucket, -span), span)
        case .halves(let buckets, let largest):
            return Self.halfBucket(distance, buckets: buckets, largest: largest)
        }
    }
}

extension PackedBatch {
    /// The rows of the distances within this batch's sequences: in each of its lanes those of the lane's longest sequence.
    public func distances(_ distances: TokenDistances) -> PackedBatch {
        let longest = lanes.map { lane in sequences[lane.sequences].map(\.rows.count).max() ?? 0 }
        return PackedBatch(
            rowsOfLanes: longest.map { length in
                length == 0
                    ? [] : (0..<distances.rowCount(length: length)).map { Int32(distances.position(ofRow: $0)) }
            }, firstLane: lanes.first?.index ?? 0)
    }

    /// Lanes of one sequence each, or none, all in slot 0, so that what is dropped is the same in all of them.
    ///
    /// - Parameter positions: of the rows of each lane.
    private init(rowsOfLanes positions: [[Int32]], firstLane: Int) {
        var (sequences, lanes): ([Sequence], [Lane]) = ([], [])
        var row = 0
        for (number, lane) in positions.enumerated() {
            let rows = row..<row + lane.count
            let first = sequences.count
            if !lane.isEmpty { sequences.append(Sequence(slot: 0, rows: rows)) }
            lanes.append(Lane(index: firstLane + number, rows: rows, sequences: first..<sequences.count))
            row = rows.upperBound
        }
        let zeros = [Int32](repeating: 0, count: row)
        self.init(
            sequences: sequences, lanes: lanes, tokens: zeros, positions: positions.flatMap(\.self), types: zeros)
    }
}
