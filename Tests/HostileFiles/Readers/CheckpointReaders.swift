import Checkpointing
import Diagnostics
import Foundation
import Safetensors

/// A small run's folder with one checkpoint in two shards, written by the product.
private struct SmallRun {
    static let step = 7
    static let arrays = ["parameters", "first_moment"]
    let folder: String
    let manifest: CheckpointManifest

    var checkpoint: String { folder + "/checkpoints/step-00000007" }

    init(_ folder: String) throws {
        self.folder = folder
        let store = CheckpointStore(runFolder: folder)
        let partial = try store.begin(step: Self.step)
        let parts = [(rows: 0..<3, elements: 0..<30), (rows: 3..<5, elements: 30..<57)]
        let shards = try parts.enumerated().map { index, part in
            try CheckpointShard.write(
                folder: partial, index: index, rows: part.rows, elements: part.elements,
                arrays: Self.arrays.map { ($0, part.elements.map { Float($0) / 8 }) })
        }
        manifest = CheckpointManifest(
            step: Self.step, seed: 3, gradientLanes: 8, configuration: "model: minilm\noutput: runs/x\n",
            configurationDigest: FileDigest.hexadecimal(of: Data("a".utf8)),
            modelDigest: FileDigest.hexadecimal(of: Data("b".utf8)),
            dataDigest: FileDigest.hexadecimal(of: Data("c".utf8)), initialAdapterDigest: "",
            origin: .init(kernelType: "Haswell", program: FileDigest.hexadecimal(of: Data("d".utf8))),
            dataPosition: 224, skippedSteps: 1, skippedInARow: 0,
            mask: [true, false, true, true, false], rowCount: 5, elementCount: 57, shards: shards)
        try store.commit(manifest)
    }
}

/// The contents of a manifest, as they stand and signed anew.
struct ManifestReader: FileReader {
    static let name = "manifest"
    static let share = 8

    let seeds: [Seed]
    private let written: CheckpointManifest

    init(_ workshop: Workshop) throws {
        let run = try SmallRun(workshop.newFolder("run"))
        let file = CheckpointManifest.fileName
        written = try CheckpointManifest(
            contents: Data(Workshop.bytes(run.checkpoint + "/" + file)), path: file)
        let text = String(decoding: try Workshop.bytes(run.checkpoint + "/" + file), as: UTF8.self)
        seeds = [
            try workshop.seed("manifest", file: file, text: text, format: .json),
            try workshop.seed(
                "path", file: file, text: text.replacing("\"shard-00001", with: "\"../shard-00001"), format: .json,
                verdict: .refused),
            try workshop.seed(
                "version", file: file, text: text.replacing("\"format_version\" : 1", with: "\"format_version\" : 2"),
                format: .json, verdict: .refused),
        ]
    }

    func read(_ input: Input) throws {
        let data = Data(input.contents)
        // A file whose digest was made to agree gets further than any accident does.
        if input.index % 2 == 0, UnsortableText.offset(in: data) == nil,
            let edited = try? Self.decoder.decode(CheckpointManifest.self, from: data),
            let signed = try? edited.encoded()
        {
            try checkShape(of: CheckpointManifest(contents: signed, path: input.seed.path))
        }
        guard try CheckpointManifest(contents: data, path: input.seed.path) == written else {
            throw BrokenPromise("a manifest was accepted that is not the one that was written")
        }
    }

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    private func checkShape(of manifest: CheckpointManifest) throws {
        guard manifest.keptTriplets.count == manifest.mask.count,
            manifest.shards.allSatisfy({ !$0.file.utf8.contains(UInt8(ascii: "/")) }),
            manifest.shards.allSatisfy({ $0.firstRow <= $0.endRow && $0.firstElement <= $0.endElement })
        else { throw BrokenPromise("the shards of an accepted manifest lead outside, or run backwards") }
    }
}

/// A checkpoint's folder, whichever of its files is damaged, as a resumed run reads it.
struct CheckpointReader: FileReader {
    static let name = "checkpoint"
    static let share = 8

    let seeds: [Seed]
    private let written: CheckpointManifest

    init(_ workshop: Workshop) throws {
        let run = try SmallRun(workshop.newFolder("run"))
        written = try CheckpointManifest(
            contents: Data(Workshop.bytes(run.checkpoint + "/" + CheckpointManifest.fileName)), path: "manifest")
        func seed(_ name: String, _ file: String, _ format: Seed.Format) throws -> Seed {
            try workshop.seed(name + "/checkpoints/step-00000007", file: file, copying: run.checkpoint, format: format)
        }
        seeds = [
            try seed("manifest", CheckpointManifest.fileName, .json),
            try seed("first", CheckpointManifest.shardName(0), .safetensors),
            try seed("second", CheckpointManifest.shardName(1), .safetensors),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let isShard = input.seed.format == .safetensors
        let isSigned = isShard && input.index % 2 == 0
        if isShard { try writeManifest(for: input, signed: isSigned) }
        let checkpoints = URL(fileURLWithPath: input.seed.folder).deletingLastPathComponent()
        let store = CheckpointStore(runFolder: checkpoints.deletingLastPathComponent().path)
        guard let entry = store.entries().first else { throw BrokenPromise("the checkpoint's folder is not listed") }
        let manifest = try store.verified(entry)
        if !isSigned {
            guard manifest == written, !isShard || input.isUnchanged else {
                throw BrokenPromise("a damaged checkpoint was accepted")
            }
        }
        var elements = [Float](repeating: .nan, count: written.elementCount)
        for name in SmallRun.arrays {
            try elements.withUnsafeMutableBufferPointer { target in
                guard let base = target.baseAddress else { return }
                try CheckpointShard.read(
                    name, elements: 0..<written.elementCount, folder: input.seed.folder, manifest: manifest, into: base)
            }
            guard isSigned || elements == (0..<57).map({ Float($0) / 8 }) else {
                throw BrokenPromise("'\(name)' is not what was written")
            }
        }
    }

    /// The manifest as it was written, or with the size and digest of the shard as it is now: then it is for the shard's own
    /// reader to find what is wrong.
    private func writeManifest(for input: Input, signed: Bool) throws {
        var manifest = written
        if signed {
            manifest.shards = manifest.shards.map { shard in
                guard shard.file == input.seed.file else { return shard }
                return CheckpointManifest.Shard(
                    file: shard.file, bytes: input.contents.count,
                    sha256: FileDigest.hexadecimal(of: Data(input.contents)), rows: shard.firstRow..<shard.endRow,
                    elements: shard.firstElement..<shard.endElement)
            }
        }
        try [UInt8](manifest.encoded()).write(to: input.seed.folder + "/" + CheckpointManifest.fileName)
    }
}
