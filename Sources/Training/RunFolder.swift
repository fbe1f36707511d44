import Diagnostics
import Foundation
import PEFTFormat
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
    /// A whole network, where no adapter was trained.
    public var modelPath: String { path + "/model" }
    var lockPath: String { path + "/.lock" }

    /// Whether a run came to its end here.
    var isComplete: Bool {
        FileManager.default.fileExists(atPath: summaryPath)
            && ((try? Adapter(path: adapterPath)) != nil || (try? TensorFolder(path: modelPath)) != nil)
    }

    /// - Throws: ``TrainingError`` if a run was begun here and has left neither adapter nor model so far.
    func checkIsNotUnfinished() throws(TrainingError) {
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        guard exists(configurationPath), exists(metricsPath), !exists(adapterPath), !exists(modelPath) else { return }
        throw TrainingError(
            .missingInput,
            "\(path): the run is not finished, so that there is no adapter or model yet; continue it with --resume, or wait for "
                + "the job that is at work on it")
    }

    /// The run is no longer complete.
    func removeSummary() throws(TrainingError) {
        guard FileManager.default.fileExists(atPath: summaryPath) else { return }
        do {
            try FileManager.default.removeItem(atPath: summaryPath)
            try DurableFile.synchronizeFolder(path)
        } catch {
            throw TrainingError(.inputOutput, "\(summaryPath): cannot be removed (\(plainReason(error)))")
        }
    }

    /// Creates the folder if need be, and checks that it can be written.
    func create() throws(TrainingError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw TrainingError(
                .inputOutput,
                "\(path): the output folder cannot be created (\(plainReason(error))); set output to a folder that you may write"
            )
        }
        guard access(path, W_OK) == 0 else {
            throw TrainingError(
                .inputOutput,
                "\(path): the output folder cannot be written; check its permissions, or set output to another")
        }
    }

    /// Checks that this process sees the folder that the job's first process holds.
    ///
    /// - Throws: ``TrainingError`` if it does not within a few seconds, which shared file systems may take.
    func checkIsShared(token: String, process: Int, host: String) throws(TrainingError) {
        for attempt in 0... {
            let contents = try? String(contentsOfFile: lockPath, encoding: .utf8)
            if contents?.contains(token) == true { return }
            guard attempt < 50 else { break }
            usleep(200_000)
        }
        throw TrainingError(
            .usage,
            "process \(process) on \(host) does not see the folder \(path) of process 0; "
                + "set output to a folder that all hosts share")
    }

    /// Drops the metrics of steps that are to be done again, so that a finished run has one line for each step. Lines that
    /// are damaged or missing are told of; the damaged file is kept beside the new one.
    func truncateMetrics(toStep step: Int) throws(TrainingError) {
        guard FileManager.default.fileExists(atPath: metricsPath) else { return }
        guard let contents = FileManager.default.contents(atPath: metricsPath) else {
            throw TrainingError(.inputOutput, "\(metricsPath): cannot be read; check its permissions")
        }
        struct Line: Decodable { let step: Int }
        var lines: [Int: Data] = [:]
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), (0..<step).contains(entry.step)
            else { continue }
            lines[entry.step] = line + [UInt8(ascii: "\n")]
        }
        do {
            if lines.count < step {
                let copy = DurableFile.freeName(metricsPath + ".damaged")
                try DurableFile.replace(copy, with: contents)
                tellUser(
                    "\(metricsPath): \(step - lines.count) of the lines of steps 0 to \(step - 1) are damaged or missing; "
                        + "the file as it was is \(copy)")
            }
            try DurableFile.replace(
                metricsPath, with: lines.sorted { $0.key < $1.key }.reduce(into: Data()) { $0 += $1.value })
        } catch {
            throw TrainingError(
                .inputOutput, "\(metricsPath): cannot be written (\(plainReason(error))); check space and permissions")
        }
    }
}
