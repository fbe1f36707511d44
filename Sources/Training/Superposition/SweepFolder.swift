import Diagnostics
import Foundation
import Safetensors

/// The folder of a sweep: a file for each finished cell, and what was made of them.
struct SweepFolder {
    let path: String

    var cellsPath: String { path + "/cells" }
    var configurationPath: String { path + "/sweep.yaml" }
    var linesPath: String { path + "/cells.jsonl" }
    var fitsPath: String { path + "/fits.jsonl" }
    var figurePath: String { path + "/loss.svg" }

    /// Everything here that a sweep wrote; nothing else in the folder is ever touched.
    private var ownPaths: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cellsPath)) ?? []
        let cells = names.filter { $0.hasSuffix(".json") }.map { cellsPath + "/" + $0 }.filter { path in
            FileManager.default.contents(atPath: path).flatMap { try? CellResult(line: $0) } != nil
        }
        let results = [linesPath, fitsPath, figurePath].filter { FileManager.default.fileExists(atPath: $0) }
        return cells + results + (isConfigurationOwn ? [configurationPath] : [])
    }

    /// Whether `sweep.yaml` is as a sweep writes it: every key, in one form.
    private var isConfigurationOwn: Bool {
        guard let text = try? String(contentsOfFile: configurationPath, encoding: .utf8),
            let configuration = try? SweepConfiguration(yaml: text, path: configurationPath)
        else { return false }
        return configuration.resolvedYAML == text
    }

    private func path(of cell: SweepCell) -> String { cellsPath + "/" + cell.name + ".json" }

    /// Makes the folder ready for who holds its lock.
    func prepare(_ start: RunStart) throws(TrainingError) {
        let contents = ownPaths
        guard isConfigurationOwn || !FileManager.default.fileExists(atPath: configurationPath) else {
            throw TrainingError(
                .usage,
                "\(configurationPath): no sweep wrote it, and the sweep would write over it; move it, or set output to another "
                    + "folder")
        }
        if start == .new, !contents.isEmpty {
            throw TrainingError(
                .usage,
                "\(path): holds an earlier sweep; continue it with --resume, start over with --overwrite, or set output to"
                    + " another folder")
        }
        do {
            if start == .overwrite { for path in contents { try FileManager.default.removeItem(atPath: path) } }
            try FileManager.default.createDirectory(atPath: cellsPath, withIntermediateDirectories: true)
            // What a killed process left half-written.
            for folder in [path, cellsPath] {
                for name in try FileManager.default.contentsOfDirectory(atPath: folder)
                where name.wholeMatch(
                    of: /(m[0-9]+-.+\.json|cells\.jsonl|fits\.jsonl|loss\.svg|sweep\.yaml)\.[0-9]+\.partial/) != nil
                {
                    try FileManager.default.removeItem(atPath: folder + "/" + name)
                }
            }
        } catch {
            throw TrainingError(.inputOutput, "\(path): cannot be prepared (\(plainReason(error)))")
        }
    }

    /// What a cell came to, if it is finished.
    ///
    /// - Throws: ``TrainingError`` if what is there is of other settings.
    func result(of cell: SweepCell) throws(TrainingError) -> CellResult? {
        guard let data = FileManager.default.contents(atPath: path(of: cell)) else { return nil }
        guard let result = try? CellResult(line: data) else {
            tellUser("\(path(of: cell)): damaged; the cell is computed again")
            return nil
        }
        guard result.cell == cell else {
            throw TrainingError(
                .usage,
                "\(path(of: cell)): a cell of other settings (bias, steps, batch_size, lr, warmup_steps or"
                    + " evaluation_samples); start over with --overwrite, or set output to another folder")
        }
        return result
    }

    func store(_ result: CellResult) throws {
        try write(try result.line() + [UInt8(ascii: "\n")], to: path(of: result.cell))
    }

    func write(_ contents: Data, to path: String) throws(TrainingError) {
        do {
            try DurableFile.replace(path, with: contents)
        } catch {
            throw TrainingError(
                .inputOutput,
                "\(path): cannot be written (\(plainReason(error))); check space and permissions, then --resume")
        }
    }
}
