import Checkpointing
import Diagnostics
import Foundation
import Testing

@Suite("Checkpoints on the disk")
struct CheckpointStoreTests {
    @Test("a checkpoint is found again, whole", arguments: [[57], [30, 57], [30, 40, 57]])
    func roundTrip(shardEnds: [Int]) throws {
        let checkpoints = try SmallCheckpoint()
        let written = try checkpoints.write(step: 7, shardEnds: shardEnds)
        let found = try #require(checkpoints.store.newestValid { Issue.record("\($0): \($1)") })
        #expect(found.manifest.keptTriplets == [true, false, true, true, false])
        #expect(found.manifest.shards == written.shards)
        #expect(found.manifest.dataPosition == 224)
        for array in SmallCheckpoint.arrays {
            for elements in [0..<57, 0..<1, 29..<31, 30..<57, 5..<56] {
                let values = try checkpoints.read(array, elements, step: 7)
                #expect(values == elements.map { SmallCheckpoint.value(array, $0) })
            }
        }
    }

    @Test("every flipped bit of every file is found, and named")
    func flips() throws {
        let checkpoints = try SmallCheckpoint()
        try checkpoints.write(step: 7)
        let entry = try checkpoints.entry(7)
        for file in try FileManager.default.contentsOfDirectory(atPath: entry.path) {
            let url = URL(fileURLWithPath: entry.path + "/" + file)
            let original = try Data(contentsOf: url)
            for place in original.indices {
                var bytes = original
                bytes[place] ^= 1 << UInt8(place % 8)
                try bytes.write(to: url)
                let error = try #require(throws: CheckpointError.self) { try checkpoints.store.verified(entry) }
                #expect(error.description.contains(file) && error.kind == .badData)
            }
            try original.write(to: url)
        }
        _ = try checkpoints.store.verified(entry)
    }

    @Test("every truncation, every missing file and a byte more are found, and named")
    func truncations() throws {
        let checkpoints = try SmallCheckpoint()
        try checkpoints.write(step: 7)
        let entry = try checkpoints.entry(7)
        for file in try FileManager.default.contentsOfDirectory(atPath: entry.path) {
            let url = URL(fileURLWithPath: entry.path + "/" + file)
            let original = try Data(contentsOf: url)
            func expectRefused(_ what: String) throws {
                let error = try #require(throws: CheckpointError.self, "\(file): \(what)") {
                    try checkpoints.store.verified(entry)
                }
                #expect(error.description.contains(file))
            }
            for length in original.indices {
                try original.prefix(length).write(to: url)
                try expectRefused("cut to \(length) bytes")
            }
            try (original + [0]).write(to: url)
            try expectRefused("one byte too long")
            try FileManager.default.removeItem(at: url)
            try expectRefused("missing")
            try original.write(to: url)
        }
    }

    @Test("shards that changed places are found")
    func swappedShards() throws {
        let checkpoints = try SmallCheckpoint()
        let written = try checkpoints.write(step: 7, shardEnds: [30, 57])
        let entry = try checkpoints.entry(7)
        let files = written.shards.map { entry.path + "/" + $0.file }
        try FileManager.default.moveItem(atPath: files[0], toPath: entry.path + "/aside")
        try FileManager.default.moveItem(atPath: files[1], toPath: files[0])
        try FileManager.default.moveItem(atPath: entry.path + "/aside", toPath: files[1])
        #expect(throws: CheckpointError.self) { try checkpoints.store.verified(entry) }
    }

    @Test("a folder under another step's name is not that step's checkpoint")
    func renamedFolder() throws {
        let checkpoints = try SmallCheckpoint()
        try checkpoints.write(step: 7)
        let entry = try checkpoints.entry(7)
        try FileManager.default.moveItem(
            atPath: entry.path, toPath: entry.path.replacing("step-00000007", with: "step-00000008"))
        let error = try #require(throws: CheckpointError.self) {
            try checkpoints.store.verified(try checkpoints.entry(8))
        }
        #expect(error.description.contains("it is of step 7, expected 8"))
    }

    @Test("the newest valid one is taken, and each newer one that is damaged is told of")
    func newestValid() throws {
        let checkpoints = try SmallCheckpoint()
        for step in [10, 20, 30, 40] { try checkpoints.write(step: step) }
        for step in [30, 40] {
            let path = try checkpoints.entry(step).path + "/" + CheckpointManifest.shardName(1)
            try FileManager.default.removeItem(atPath: path)
        }
        var told: [Int] = []
        let found = checkpoints.store.newestValid { entry, _ in told.append(entry.step) }
        #expect(found?.entry.step == 20)
        #expect(told == [40, 30])
        #expect(checkpoints.store.entries().map(\.step) == [10, 20, 30, 40], "nothing is deleted")
    }

    @Test("pruning keeps the newest, and does not count later ones, which are damaged")
    func pruning() throws {
        let checkpoints = try SmallCheckpoint()
        for step in [10, 20, 30, 40] { try checkpoints.write(step: step) }
        // As if 40 was damaged, and the run resumed from 20 has written 30 again.
        try checkpoints.store.prune(keep: 1, upTo: 30)
        #expect(checkpoints.store.entries().map(\.step) == [30, 40])
        try checkpoints.write(step: 50)
        try checkpoints.store.prune(keep: 2, upTo: 50)
        #expect(checkpoints.store.entries().map(\.step) == [40, 50])
    }

    @Test("a damaged checkpoint is set aside, not lost, by the one that takes its place")
    func setAside() throws {
        let checkpoints = try SmallCheckpoint()
        try checkpoints.write(step: 7)
        let shard = try checkpoints.entry(7).path + "/" + CheckpointManifest.shardName(0)
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: shard))
        try checkpoints.write(step: 7)
        _ = try checkpoints.store.verified(try checkpoints.entry(7))
        let aside = checkpoints.store.folder + "/step-00000007.damaged-1/" + CheckpointManifest.shardName(0)
        #expect(FileManager.default.contents(atPath: aside) == Data("damaged".utf8))
    }

    @Test("what an interrupted attempt left is no checkpoint, and is removed by the next attempt")
    func interrupted() throws {
        let checkpoints = try SmallCheckpoint()
        let partial = try checkpoints.store.begin(step: 7)
        let left = partial + "/" + CheckpointManifest.shardName(9)
        try Data("left".utf8).write(to: URL(fileURLWithPath: left))
        #expect(checkpoints.store.entries().isEmpty)
        #expect(checkpoints.store.newestValid { Issue.record("\($0): \($1)") } == nil)
        try checkpoints.write(step: 7)
        #expect(!FileManager.default.fileExists(atPath: try checkpoints.entry(7).path + "/shard-00009.safetensors"))
        #expect(!FileManager.default.fileExists(atPath: partial))
    }

    @Test("an abandoned checkpoint leaves nothing")
    func abandoned() throws {
        let checkpoints = try SmallCheckpoint()
        let partial = try checkpoints.store.begin(step: 7)
        checkpoints.store.abandon(step: 7)
        #expect(!FileManager.default.fileExists(atPath: partial))
    }
}
