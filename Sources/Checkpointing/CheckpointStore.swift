import Diagnostics
import Foundation
import Safetensors

/// The checkpoints of one run: a folder for each, complete or not there at all.
///
/// A checkpoint is written into `step-N.partial/`, and renamed to `step-N/` once every shard and the manifest are on the
/// disk. Valid means that the manifest parses and that every digest matches.
public struct CheckpointStore: Sendable {
    /// `RUN/checkpoints`.
    public let folder: String
    /// Tells the unfinished checkpoints of this job from those of one that is dying, whose processes may still write.
    private let token: String

    /// - Parameter token: the same on all processes of a job, and no other job's.
    public init(runFolder: String, token: String = "") {
        folder = runFolder + "/checkpoints"
        self.token = token.isEmpty ? "" : "." + token
    }

    public struct Entry: Sendable, Equatable {
        /// Steps that were done.
        public let step: Int
        public let path: String
    }

    /// The folders named as complete checkpoints, oldest first. Nothing in them has been read.
    public func entries() -> [Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            Self.step(ofName: name).map { Entry(step: $0, path: folder + "/" + name) }
        }
        .sorted { $0.step < $1.step }
    }

    static func name(ofStep step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private static func step(ofName name: String) -> Int? {
        guard let match = name.wholeMatch(of: /step-([0-9]{8,18})/), let step = Int(match.1),
            Self.name(ofStep: step) == name
        else { return nil }
        return step
    }

    /// The manifest of a checkpoint after every byte of it has been checked.
    public func verified(_ entry: Entry) throws(CheckpointError) -> CheckpointManifest {
        let path = entry.path + "/" + CheckpointManifest.fileName
        guard let contents = FileManager.default.contents(atPath: path) else {
            throw CheckpointError(.badData, "\(path): missing; the checkpoint is damaged")
        }
        let manifest = try CheckpointManifest(contents: contents, path: path)
        guard manifest.step == entry.step else {
            throw CheckpointError(
                .badData, "\(path): it is of step \(manifest.step), expected \(entry.step); the folder was renamed")
        }
        for shard in manifest.shards {
            let file = entry.path + "/" + shard.file
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            guard let size = (attributes?[.size] as? NSNumber)?.intValue else {
                throw CheckpointError(.badData, "\(file): missing; the checkpoint is damaged")
            }
            guard size == shard.bytes else {
                throw CheckpointError(
                    .badData, "\(file): \(size) bytes, expected \(shard.bytes); the checkpoint is damaged")
            }
            guard (try? FileDigest.hexadecimal(ofFile: file)) == shard.sha256 else {
                throw CheckpointError(
                    .badData,
                    "\(file): its SHA-256 differs from the manifest's, or it cannot be read; the checkpoint is damaged")
            }
        }
        return manifest
    }

    /// The newest checkpoint that is valid.
    ///
    /// - Parameter damaged: told of each newer one that is not.
    public func newestValid(
        damaged: (Entry, CheckpointError) -> Void
    ) -> (entry: Entry, manifest: CheckpointManifest)? {
        for entry in entries().reversed() {
            do throws(CheckpointError) {
                return (entry, try verified(entry))
            } catch {
                damaged(entry, error)
            }
        }
        return nil
    }

    /// Starts a checkpoint; what an interrupted attempt at the same step left is removed.
    ///
    /// - Returns: the folder for the shards.
    public func begin(step: Int) throws(CheckpointError) -> String {
        let path = partialPath(step)
        do {
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            // The checkpoints' folder itself may be new.
            try DurableFile.synchronizeFolder((folder as NSString).deletingLastPathComponent)
        } catch {
            throw CheckpointError(
                .inputOutput,
                "\(path): cannot be created (\(plainReason(error))); check space and permissions")
        }
        return path
    }

    /// Where the shards of a checkpoint that is being written go.
    public func partialPath(_ step: Int) -> String { folder + "/" + Self.name(ofStep: step) + token + ".partial" }

    /// Completes a checkpoint whose shards are all on the disk.
    public func commit(_ manifest: CheckpointManifest) throws(CheckpointError) {
        let partial = partialPath(manifest.step)
        let final = folder + "/" + Self.name(ofStep: manifest.step)
        let contents = try manifest.encoded()
        do {
            try DurableFile.write(contents, to: partial + "/" + CheckpointManifest.fileName)
            try DurableFile.synchronizeFolder(partial)
            if FileManager.default.fileExists(atPath: final) { try setAside(final) }
            try DurableFile.rename(partial, to: final)
            try DurableFile.synchronizeFolder(folder)
        } catch {
            throw CheckpointError(
                .inputOutput, "\(final): cannot be committed (\(plainReason(error))); check space and permissions")
        }
    }

    /// The names of everything in the folder that a run wrote: checkpoints, damaged ones, and what interrupted attempts left.
    public func ownNames() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.wholeMatch(of: /step-[0-9]{8,18}(\.damaged-[0-9]+)?/) != nil || Self.isPartial($0) }
            .sorted()
    }

    private static func isPartial(_ name: String) -> Bool {
        name.wholeMatch(of: /step-[0-9]{8,18}(\.[-0-9A-F]{36})?\.partial/) != nil
    }

    /// Removes what interrupted attempts left, whatever job they were of.
    public func removePartial() {
        for name in ownNames() where Self.isPartial(name) {
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }

    /// Removes what was written of a checkpoint that will not be completed.
    public func abandon(step: Int) {
        try? FileManager.default.removeItem(atPath: partialPath(step))
    }

    /// Keeps a damaged checkpoint of the same step out of the way of the one that replaces it.
    @discardableResult
    private func setAside(_ path: String) throws -> String {
        let name = DurableFile.freeName(path + ".damaged")
        try DurableFile.rename(path, to: name)
        return name
    }

    /// Renames a checkpoint that is not valid, so that it neither counts among those that are kept nor is met again.
    ///
    /// - Returns: its new path.
    public func setAside(_ entry: Entry) throws(CheckpointError) -> String {
        do {
            return try setAside(entry.path)
        } catch {
            throw CheckpointError(.inputOutput, "\(entry.path): cannot be renamed (\(plainReason(error)))")
        }
    }

    /// Removes all complete checkpoints up to a step, but the newest `keep` of them. The manifest goes first, so that what
    /// remains of a half-removed checkpoint is not taken for one.
    ///
    /// - Parameter step: of a checkpoint that is known to be valid. Later ones were damaged, or the run would have been
    ///   resumed from them: they must not count among those that are kept.
    public func prune(keep: Int, upTo step: Int) throws(CheckpointError) {
        do {
            for entry in entries().filter({ $0.step <= step }).dropLast(max(keep, 1)) {
                try? FileManager.default.removeItem(atPath: entry.path + "/" + CheckpointManifest.fileName)
                try FileManager.default.removeItem(atPath: entry.path)
            }
        } catch {
            throw CheckpointError(
                .inputOutput, "\(folder): an old checkpoint cannot be removed (\(plainReason(error)))")
        }
    }
}
