import Checkpointing
import Diagnostics
import Foundation
import Safetensors

#if canImport(Glibc)
    import Glibc
#endif

// A run's folder may hold a user's own files, too. Only what a run is known to have written is ever removed or replaced:
// single files that look like a run's, checkpoints by their names, and of adapter/ and model/ the files that a list in the
// folder names.

extension RunFolder {
    /// What an earlier run left, by name.
    var contents: [String] {
        let files = ["summary.json", "metrics.jsonl", "config.yaml"].filter(isOwn)
        let checkpoints = CheckpointStore(runFolder: path).ownNames().isEmpty ? [] : ["checkpoints"]
        return files + checkpoints + resultNames.filter { !ownFiles(ofResult: $0).isEmpty }
    }

    /// Checks that a run may write here: that it overwrites nothing of the user's, and removes nothing that it reads.
    ///
    /// - Parameters:
    ///   - inputs: files and folders that the run reads, with the keys that name them.
    ///   - result: the folder that the run leaves, `adapter` or `model`.
    /// - Throws: ``TrainingError`` (`usage`) naming what is in the way. Nothing has been changed then.
    func checkIsFree(for inputs: [(key: String, path: String)], result: String, start: RunStart) throws(TrainingError) {
        for name in ["summary.json", "metrics.jsonl", "config.yaml"] where exists(name) && !isOwn(name) {
            throw TrainingError(
                .usage,
                "\(path)/\(name): no run of this program wrote it, and the run would write over it; move it, or set output to "
                    + "another folder")
        }
        if exists(result), ownFiles(ofResult: result).isEmpty {
            throw TrainingError(
                .usage,
                "\(path)/\(result): no run of this program wrote it, and the run would leave its result there; move it, or "
                    + "set output to another folder")
        }
        let removed = start == .overwrite ? resultNames + ["checkpoints"] : [result, "checkpoints"]
        for (key, input) in inputs {
            for name in removed where exists(name) && Self.lies(input, in: path + "/" + name) {
                throw TrainingError(
                    .usage,
                    "\(key) is \(input), which lies in the output folder's \(name)/, where the run "
                        + "\(start == .overwrite ? "removes what was there" : "writes"); set output to another folder")
            }
        }
        let contents = contents
        guard start != .new || contents.isEmpty else {
            throw TrainingError(
                .usage,
                "\(path): holds an earlier run (\(contents.joined(separator: ", "))); continue it with --resume, set output "
                    + "to another folder, or have --overwrite delete it")
        }
    }

    /// Removes what an earlier run left, and nothing else.
    func clear() throws(TrainingError) {
        var files = contents.filter { !(resultNames + ["checkpoints"]).contains($0) }
        files += CheckpointStore(runFolder: path).ownNames().map { "checkpoints/" + $0 }
        files += resultNames.flatMap { result in ownFiles(ofResult: result).map { result + "/" + $0 } }
        for name in files {
            do {
                try FileManager.default.removeItem(atPath: path + "/" + name)
            } catch {
                throw TrainingError(.inputOutput, "\(path)/\(name): cannot be removed (\(plainReason(error)))")
            }
        }
        // Folders in which something of the user's is left stay.
        for folder in resultNames + ["checkpoints"] { rmdir(path + "/" + folder) }
        unlink(listPath)
    }

    /// Removes what interrupted attempts left, of checkpoints and of files. Only for who holds the lock.
    func removeLeftovers() {
        CheckpointStore(runFolder: path).removePartial()
        // What `DurableFile.replace` names while it writes.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names
        where name.wholeMatch(of: /(metrics\.jsonl|summary\.json|config\.yaml|\.written)\.[0-9]+\.partial/) != nil {
            unlink(path + "/" + name)
        }
        for result in resultNames {
            for folder in Self.temporaryNames(ofResult: result) { try? removeTemporary(path + "/" + folder) }
        }
    }

    /// Writes a folder of the run; one that is there stays until the new one is whole. What is not the run's in the old one
    /// is taken along.
    ///
    /// - Parameter folder: the path of `adapter` or `model` in this folder.
    func replaceFolder(_ folder: String, _ write: (_ partial: String) throws -> Void) throws {
        let result = (folder as NSString).lastPathComponent
        let names = Self.temporaryNames(ofResult: result)
        let (partial, replaced) = (path + "/" + names[0], path + "/" + names[1])
        for path in [partial, replaced] { try removeTemporary(path) }
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: partial + "/" + Self.mark))
        let content = partial + "/" + result
        try write(content)
        let written = try FileManager.default.contentsOfDirectory(atPath: content).sorted()
        let earlier = ownFiles(ofResult: result)
        try remember(Set(earlier + written).sorted(), ofResult: result)
        if exists(result) {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where !earlier.contains(name) && !written.contains(name) {
                try DurableFile.rename(folder + "/" + name, to: content + "/" + name)
            }
            try FileManager.default.createDirectory(atPath: replaced, withIntermediateDirectories: false)
            try Data().write(to: URL(fileURLWithPath: replaced + "/" + Self.mark))
            try DurableFile.rename(folder, to: replaced + "/" + result)
        }
        try DurableFile.rename(content, to: folder)
        try remember(written, ofResult: result)
        try DurableFile.synchronizeFolder(path)
        for path in [partial, replaced] { try removeTemporary(path) }
    }

    private var resultNames: [String] { ["adapter", "model"] }

    private static func temporaryNames(ofResult result: String) -> [String] {
        [".\(result).partial", ".\(result).replaced"]
    }

    /// What a folder holds that this program made to write a result, and no user.
    private static let mark = ".rankwise-temporary"

    /// Removes a folder that was made while a result was written; one without the mark is no such folder.
    private func removeTemporary(_ path: String) throws {
        guard DurableFile.exists(path), DurableFile.exists(path + "/" + Self.mark) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    private func exists(_ name: String) -> Bool { DurableFile.exists(path + "/" + name) }

    // MARK: What a run wrote

    /// `RUN/.written`: the names of the files in `adapter/` and `model/`.
    private var listPath: String { path + "/.written" }

    private var list: [String: [String]] {
        FileManager.default.contents(atPath: listPath)
            .flatMap { try? JSONDecoder().decode([String: [String]].self, from: $0) } ?? [:]
    }

    private func remember(_ names: [String], ofResult result: String) throws {
        var list = list
        list[result] = names
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try write(try encoder.encode(list), to: listPath)
    }

    /// The files of a result that are there and that a run wrote.
    private func ownFiles(ofResult result: String) -> [String] {
        let listed = list[result] ?? filesOfEarlierBuild(ofResult: result)
        return listed.filter { !$0.contains("/") && exists(result + "/" + $0) }
    }

    /// Builds that kept no list left a finished run with a summary, and its configuration says what its result is.
    private func filesOfEarlierBuild(ofResult result: String) -> [String] {
        guard !exists(".written"), isOwn("summary.json"),
            let text = try? String(contentsOfFile: configurationPath, encoding: .utf8),
            let configuration = try? TrainingConfiguration(resolvedYAML: text, path: configurationPath),
            configuration.leavesAdapter == (result == "adapter")
        else { return [] }
        return [
            "adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors", "rankwise.json",
            "preprocessor_config.json",
        ]
    }

    /// Whether a file looks like what a run writes under its name.
    private func isOwn(_ name: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: path + "/" + name) else { return false }
        switch name {
        case "summary.json":
            struct Summary: Decodable { let steps: Int }
            return (try? JSONDecoder().decode(Summary.self, from: data)) != nil
        case "metrics.jsonl":
            struct Line: Decodable { let step: Int }
            let lines = data.split(separator: UInt8(ascii: "\n"), maxSplits: 20)
            return lines.isEmpty || lines.contains { (try? JSONDecoder().decode(Line.self, from: Data($0))) != nil }
        default: return TrainingConfiguration.isStored(data)
        }
    }

    /// Whether a path lies in a folder, or is the folder, whatever links lead there.
    private static func lies(_ path: String, in folder: String) -> Bool {
        guard let path = canonical(path), let folder = canonical(folder) else { return false }
        return path == folder || path.hasPrefix(folder + "/")
    }

    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
