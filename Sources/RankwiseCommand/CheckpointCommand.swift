import ArgumentParser
import Checkpointing
import Diagnostics
import Foundation
import Training

/// `rankwise checkpoint`.
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "List or verify the checkpoints of a run.",
        subcommands: [List.self, Verify.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One line for each checkpoint: step, shards, bytes. Digests are not checked.")

        @Argument(help: "The run's folder.")
        var folder: String

        func run() throws {
            try reportingErrors {
                for entry in try CheckpointCommand.entries(folder) {
                    let path = entry.path + "/" + CheckpointManifest.fileName
                    let contents = FileManager.default.contents(atPath: path) ?? Data()
                    do {
                        let manifest = try CheckpointManifest(contents: contents, path: path)
                        print(
                            "step \(entry.step)  shards \(manifest.shards.count)  \(manifest.byteCount) bytes  \(entry.path)"
                        )
                    } catch {
                        print("step \(entry.step)  unreadable: \(error)")
                    }
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every byte of every checkpoint against its digest; exit 65 if one is damaged.")

        @Argument(help: "The run's folder.")
        var folder: String

        func run() throws {
            try reportingErrors {
                let store = CheckpointStore(runFolder: folder)
                var damaged = 0
                for entry in try CheckpointCommand.entries(folder) {
                    do {
                        _ = try store.verified(entry)
                        print("step \(entry.step)  valid  \(entry.path)")
                    } catch {
                        damaged += 1
                        print("step \(entry.step)  damaged: \(error)")
                    }
                }
                guard damaged == 0 else {
                    throw CheckpointError(
                        .badData,
                        "\(store.folder): \(damaged) damaged checkpoint\(damaged == 1 ? "" : "s"); a resume takes the newest valid one"
                    )
                }
            }
        }
    }

    /// The checkpoints of a run that has some.
    fileprivate static func entries(_ run: String) throws(CheckpointError) -> [CheckpointStore.Entry] {
        let store = CheckpointStore(runFolder: run)
        let entries = store.entries()
        guard !entries.isEmpty else {
            throw CheckpointError(.missingInput, "\(store.folder): no checkpoints; is \(run) the folder of a run?")
        }
        return entries
    }
}
