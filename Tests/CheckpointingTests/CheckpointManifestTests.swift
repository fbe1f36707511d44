import Checkpointing
import Diagnostics
import Foundation
import Testing

@Suite("Manifests")
struct CheckpointManifestTests {
    private let contents: Data
    private let manifest: CheckpointManifest

    init() throws {
        let checkpoints = try SmallCheckpoint()
        try checkpoints.write(step: 7)
        let path = try checkpoints.entry(7).path + "/" + CheckpointManifest.fileName
        contents = try Data(contentsOf: URL(fileURLWithPath: path))
        manifest = try CheckpointManifest(contents: contents, path: path)
    }

    @Test("a newer format version is refused by its number, before its digest is looked at")
    func newerVersion() throws {
        let newer = Data(
            String(decoding: contents, as: UTF8.self)
                .replacing("\"format_version\" : 1", with: "\"format_version\" : 2").utf8)
        let error = try #require(throws: CheckpointError.self) {
            try CheckpointManifest(contents: newer, path: "manifest.json")
        }
        #expect(error.description.contains("format version 2, this program reads 1"))
    }

    @Test("white space and letter case that JSON does not care for are found as well")
    func everyByteCounts() throws {
        for edited in [contents + Data("\n".utf8), Data(" ".utf8) + contents] {
            #expect(throws: CheckpointError.self) { try CheckpointManifest(contents: edited, path: "manifest.json") }
        }
    }

    @Test("signed anew, a manifest whose shards do not make up the whole is refused")
    func inconsistent() throws {
        func expectRefused(_ edit: (inout CheckpointManifest) -> Void) throws {
            var edited = manifest
            edit(&edited)
            let signed = try edited.encoded()
            let error = try #require(throws: CheckpointError.self) {
                try CheckpointManifest(contents: signed, path: "manifest.json")
            }
            #expect(error.kind == .badData)
        }
        try expectRefused { $0.shards.removeLast() }
        try expectRefused { $0.shards.swapAt(0, 1) }
        try expectRefused { $0.elementCount += 1 }
        try expectRefused { $0.rowCount = -1 }
        try expectRefused { $0.step = -7 }
        try expectRefused { $0.mask = "10x10" }
        try expectRefused { manifest in
            manifest.shards = manifest.shards.map { shard in
                CheckpointManifest.Shard(
                    file: "../" + shard.file, bytes: shard.bytes, sha256: shard.sha256,
                    rows: shard.firstRow..<shard.endRow, elements: shard.firstElement..<shard.endElement)
            }
        }
    }
}
