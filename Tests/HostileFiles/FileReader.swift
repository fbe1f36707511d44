import Foundation

/// A part of the product that reads files of unknown origin.
protocol FileReader: Sendable {
    /// What `--reader` calls it.
    static var name: String { get }
    /// Its part of all inputs, relative to the others' parts.
    static var share: Int { get }

    /// Prepares the seeds and all files around them.
    init(_ workshop: Workshop) throws

    var seeds: [Seed] { get }

    /// Has the product read the input, and do with it what it does with a file that it accepted.
    ///
    /// - Throws: a `Diagnosis` if the product refuses the input; ``BrokenPromise`` if the product does not keep one.
    func read(_ input: Input) throws
}

/// Every reader, in the order of the report.
let fileReaders: [any FileReader.Type] = [
    TensorFileReader.self, TensorFolderReader.self, ModelReader.self, WholeModelReader.self, TokenizerReader.self,
    VocabularyReader.self, PipelineReader.self, MergesReader.self, SentencePieceReader.self,
    TableReader.self, LabelReader.self, ConfigurationReader.self, TraceReader.self, AdapterReader.self,
    ManifestReader.self, CheckpointReader.self, QuantizedFileReader.self, NumPyReader.self, EntryReader.self,
    ImageReader.self, SweepReader.self, NumberPairsReader.self,
]

/// Where a reader lays out its seeds.
struct Workshop {
    /// A folder that is this reader's alone.
    let folder: String
    /// The package, whose `Tests/Fixtures` the seeds come from.
    let package: String

    func fixture(_ name: String) -> String { package + "/Tests/Fixtures/" + name }

    /// The bytes of a file.
    static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// A new, empty folder in the reader's own.
    func newFolder(_ name: String) throws -> String {
        let path = folder + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// A seed in a new folder, whose other files are copies of those of `origin`.
    ///
    /// - Parameters:
    ///   - name: of the folder; different for each seed.
    ///   - origin: nil for a file that stands alone.
    ///   - contents: nil takes those of the origin's file.
    func seed(
        _ name: String, file: String, copying origin: String? = nil, contents: [UInt8]? = nil, format: Seed.Format,
        verdict: Seed.Verdict = .accepted
    ) throws -> Seed {
        let folder = try newFolder(name)
        if let origin {
            for companion in try FileManager.default.contentsOfDirectory(atPath: origin) {
                let copy = folder + "/" + companion
                if FileManager.default.fileExists(atPath: copy) { try FileManager.default.removeItem(atPath: copy) }
                try FileManager.default.copyItem(atPath: origin + "/" + companion, toPath: copy)
            }
        }
        let seed = Seed(
            folder: folder, file: file, contents: try contents ?? Self.bytes(folder + "/" + file), format: format,
            verdict: verdict)
        try seed.contents.write(to: seed.path)
        return seed
    }

    /// A seed that was written by hand.
    func seed(
        _ name: String, file: String, copying origin: String? = nil, text: String, format: Seed.Format,
        verdict: Seed.Verdict = .accepted
    ) throws -> Seed {
        try seed(
            name, file: file, copying: origin, contents: Array(text.utf8), format: format, verdict: verdict)
    }
}

extension [UInt8] {
    /// Replaces the contents of a file, without waiting for the disk.
    ///
    /// The file is cut to its new length last: file systems that see one cut to nothing and written again take care to have it on
    /// the disk, which takes a thousand times as long.
    func write(to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CannotWrite(path: path, code: errno) }
        defer { close(descriptor) }
        var written = 0
        while written < count {
            let result = self[written...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(written))
            }
            guard result > 0 else { throw CannotWrite(path: path, code: errno) }
            written += result
        }
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw CannotWrite(path: path, code: errno) }
    }
}

/// The harness's own trouble with its scratch folder.
struct CannotWrite: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String { "\(path): cannot be written (\(String(cString: strerror(code)))); name another --folder" }
}
