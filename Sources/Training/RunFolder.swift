import Diagnostics
import Foundation
import Safetensors

#if canImport(Glibc)
    import Glibc
#endif

/// The folder of one run, and where things lie in it.
public struct RunFolder: Sendable {
    public let path: String

    public init(path: String) {
        self.path = path
    }

    public var metricsPath: String { path + "/metrics.jsonl" }
    public var summaryPath: String { path + "/summary.json" }
    public var configurationPath: String { path + "/config.yaml" }
    public var adapterPath: String { path + "/adapter" }
    var lockPath: String { path + "/.lock" }

    /// Everything that a run writes, by name; nothing else in the folder is ever touched.
    private static let ownNames = [
        "config.yaml", "metrics.jsonl", "summary.json", "checkpoints", "adapter", "adapter.partial",
    ]

    /// What the folder holds of a run.
    var contents: [String] {
        Self.ownNames.filter { FileManager.default.fileExists(atPath: path + "/" + $0) }
    }

    /// Whether a run came to its end here.
    var isComplete: Bool { FileManager.default.fileExists(atPath: summaryPath) }

    /// Creates the folder if need be, and checks that it can be written.
    func create() throws(TrainingError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw TrainingError(
                .inputOutput,
                "\(path): the output folder cannot be created (\(error.localizedDescription)); set output to a folder that you may write"
            )
        }
        guard access(path, W_OK) == 0 else {
            throw TrainingError(
                .inputOutput,
                "\(path): the output folder cannot be written; check its permissions, or set output to another")
        }
    }

    /// Holds the folder for this job. The lock is the operating system's, so that it ends with the process that took it,
    /// however that ended.
    final class Lock {
        private let descriptor: Int32

        /// - Throws: ``TrainingError`` if another job that is alive holds it.
        init(_ folder: RunFolder) throws(TrainingError) {
            let descriptor = open(folder.lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw TrainingError(
                    .inputOutput, "\(folder.lockPath): cannot be opened; check the output folder's permissions")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let holder = (try? String(contentsOfFile: folder.lockPath, encoding: .utf8)) ?? "another process"
                close(descriptor)
                throw TrainingError(
                    .usage,
                    "\(folder.path): in use by \(holder.trimmingCharacters(in: .whitespacesAndNewlines)); "
                        + "wait for that job or set output to another folder")
            }
            let holder = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n"
            ftruncate(descriptor, 0)
            _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
            self.descriptor = descriptor
        }

        deinit { close(descriptor) }
    }

    /// Removes what an earlier run left.
    func clear() throws(TrainingError) {
        for name in contents {
            do {
                try FileManager.default.removeItem(atPath: path + "/" + name)
            } catch {
                throw TrainingError(
                    .inputOutput, "\(path)/\(name): cannot be removed (\(error.localizedDescription))")
            }
        }
    }

    /// Drops the metrics of steps that are to be done again, so that a finished run has one line for each step.
    func truncateMetrics(toStep step: Int) throws(TrainingError) {
        guard let contents = FileManager.default.contents(atPath: metricsPath) else { return }
        struct Line: Decodable { let step: Int }
        var kept = Data()
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step < step else { break }
            kept += line + [UInt8(ascii: "\n")]
        }
        do {
            try DurableFile.replace(metricsPath, with: kept)
        } catch {
            throw TrainingError(
                .inputOutput, "\(metricsPath): cannot be written (\(error)); check space and permissions")
        }
    }
}
