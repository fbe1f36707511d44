import FixtureFiles
import Testing

@testable import NeuralNetwork

/// What transformers counts; see Tests/goldens/make_distance_goldens.py.
private struct DistanceGolden: Decodable {
    /// From −1100 to 1100, of 256 buckets for distances to 512.
    let deberta: [Int]
    /// From −200 to 200, of 32 buckets for distances to 128.
    let mpnet: [Int]
}

@Suite("Distances of tokens")
struct TokenDistanceTests {
    @Test("have the buckets that transformers gives them")
    func buckets() throws {
        let golden = try Fixture.json("distance-golden.json", as: DistanceGolden.self)
        #expect(
            (-1_100...1_100).map { TokenDistances.logarithmicBucket($0, buckets: 256, largest: 512) }
                == golden.deberta)
        #expect((-200...200).map { TokenDistances.halfBucket($0, buckets: 32, largest: 128) } == golden.mpnet)
    }

    @Test("have rows that mean the same for any length", arguments: [1, 2, 5, 40, 700])
    func rows(length: Int) {
        let distances = TokenDistances.logarithmic(span: 256, buckets: 256, largest: 512)
        let count = distances.rowCount(length: length)
        let longer = distances.rowCount(length: length + 300)
        #expect(count <= longer)
        for distance in 1 - length..<length {
            let row = distances.row(ofDistance: distance)
            #expect((0..<count).contains(row))
            let bucket = TokenDistances.logarithmicBucket(distance, buckets: 256, largest: 512)
            #expect(distances.position(ofRow: row) == min(max(bucket, -256), 256))
        }
    }
}
