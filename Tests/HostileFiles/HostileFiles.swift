import ArgumentParser
import Foundation

/// The command `hostile-files`.
///
/// The work is done in processes of its own kind, started again with `--worker`: a trap ends only one of them, and the input
/// that it was reading is known.
@main
struct HostileFiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hostile-files",
        abstract: "Feeds mutations of real files to every reader of the product, and looks for traps, hangs and worse.",
        discussion: """
            A reader may accept an input or refuse it by an error of one line. It fails if it traps, takes more than 2 s of
            processor time or more than 32 MiB and 64 times the longest input of memory, throws anything else, reads a file
            outside its folder, or accepts what it must not. Equal seeds give equal inputs. Exit codes: 0 nothing failed, 64 usage, 70 something failed: then a line for each failure says
            how to repeat it.
            """)

    struct Options: ParsableArguments {
        @Option(help: "How many inputs to try, over all readers.")
        var inputs = 100_000

        @Option(help: "What the mutations are drawn from.")
        var seed: UInt64 = 1

        @Option(help: "Try one reader only.")
        var reader: String?

        @Option(help: "Try the input of this index only, and keep its file; with --reader.")
        var only: Int?

        @Option(help: "Bytes that an input has at most.")
        var longest = 1 << 20

        @Option(help: "Seconds by the clock after which an input that is still being read is given up.")
        var hangAfter: UInt32 = 20

        @Option(help: "Where the files are written; by default a folder in memory that is removed in the end.")
        var folder: String?

        @Option(help: "The package, for the seeds in its Tests/Fixtures.")
        var package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path

        func validate() throws {
            guard inputs > 0, longest >= 1_024, hangAfter > 0, only.map({ $0 >= 0 }) ?? true else {
                throw ValidationError(
                    "expected --inputs from 1, --longest from 1024, --hang-after from 1, --only from 0")
            }
            guard only == nil || reader != nil else { throw ValidationError("--only needs --reader") }
            let known = (fileReaders.map { $0.name } + [FaultyReader.name])
            if let reader, !known.contains(reader) {
                throw ValidationError("no reader '\(reader)'; expected one of \(known.joined(separator: ", "))")
            }
        }
    }

    @OptionGroup var options: Options

    @Option(help: .hidden) var worker: String?
    @Option(help: .hidden) var workerFrom: Int?
    @Option(help: .hidden) var workerTo: Int?

    func run() throws {
        if let worker, let from = workerFrom, let to = workerTo, from < to {
            guard let type = (fileReaders + [FaultyReader.self]).first(where: { $0.name == options.reader }) else {
                throw ValidationError("a worker needs --reader")
            }
            let folder = worker + "/" + type.name
            try? FileManager.default.removeItem(atPath: folder)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let reader = try type.init(Workshop(folder: folder, package: options.package))
            try Worker(reader: reader, options: options, tallyPath: worker + "/tally.json").run(from..<to)
            return
        }
        let folder = options.folder ?? Self.memoryFolder + "/hostile-files-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            if options.folder == nil, options.only == nil { try? FileManager.default.removeItem(atPath: folder) }
        }
        let harness = Harness(options: options, folder: folder)
        guard try harness.run() else { throw ExitCode(70) }
    }

    /// A folder in memory where there is one: every input is a file for a moment.
    private static var memoryFolder: String {
        FileManager.default.isWritableFile(atPath: "/dev/shm")
            ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    }
}
