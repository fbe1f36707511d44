import Checkpointing
import FixtureFiles
import Foundation

/// A run's folder with checkpoints of 5 rows and 57 elements in shards as a job of some processes writes them.
final class SmallCheckpoint {
    static let arrays = ["parameters", "first_moment"]
    static let elementCount = 57

    private let temporary: Fixture.TemporaryFolder
    let store: CheckpointStore

    init() throws {
        temporary = try Fixture.TemporaryFolder()
        store = CheckpointStore(runFolder: temporary.path)
    }

    var run: String { temporary.path }

    /// What an element of an array holds.
    static func value(_ array: String, _ element: Int) -> Float {
        Float(element) / 8 + (array == "parameters" ? 0 : 1_000)
    }

    /// Writes a checkpoint whose shards end before these elements, and commits it.
    @discardableResult
    func write(step: Int, shardEnds: [Int] = [30, 57]) throws -> CheckpointManifest {
        let partial = try store.begin(step: step)
        var shards: [CheckpointManifest.Shard] = []
        var elements = 0..<0
        for (index, end) in shardEnds.enumerated() {
            elements = elements.upperBound..<end
            let rows = (index == 0 ? 0 : 3)..<(index == shardEnds.count - 1 ? 5 : 3)
            shards.append(
                try CheckpointShard.write(
                    folder: partial, index: index, rows: rows, elements: elements,
                    arrays: Self.arrays.map { name in (name, elements.map { Self.value(name, $0) }) }))
        }
        let manifest = CheckpointManifest(
            step: step, seed: 3, gradientLanes: 8, configuration: "model: minilm\n", configurationDigest: "a",
            modelDigest: "b", dataDigest: "c", initialAdapterDigest: "e",
            origin: .init(kernelType: "Haswell", program: "d"),
            dataPosition: 32 * step, skippedSteps: 1, skippedInARow: 0,
            mask: [true, false, true, true, false], rowCount: 5, elementCount: Self.elementCount, shards: shards)
        try store.commit(manifest)
        return manifest
    }

    func entry(_ step: Int) throws -> CheckpointStore.Entry {
        try required(store.entries().first { $0.step == step }, "a checkpoint of step \(step)")
    }

    /// All elements of an array, out of whichever shards hold them.
    func read(_ array: String, _ elements: Range<Int>, step: Int) throws -> [Float] {
        let entry = try entry(step)
        let manifest = try store.verified(entry)
        var values = [Float](repeating: .nan, count: elements.count)
        try values.withUnsafeMutableBufferPointer { target in
            try CheckpointShard.read(
                array, elements: elements, folder: entry.path, manifest: manifest,
                into: required(target.baseAddress, "elements to read"))
        }
        return values
    }
}

struct MissingError: Error, CustomStringConvertible {
    let description: String
}

func required<Value>(_ value: Value?, _ what: String) throws -> Value {
    guard let value else { throw MissingError(description: "expected \(what)") }
    return value
}
