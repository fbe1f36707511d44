import ArgumentParser
import Diagnostics
import Foundation
import PEFTFormat
import Training

/// `rankwise export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write an adapter in another format.",
        discussion: """
            adalora      PEFT's ADALORA, as train leaves it
            lora         PEFT's LORA with a rank for each module, which vLLM, SGLang and llama.cpp serve
            lora-padded  the same with one rank for all modules, for servers that know one rank only
            merged       the base model with the adapter added to its weights, for transformers alone
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case adalora, lora
        case loraPadded = "lora-padded"
        case merged
    }

    @Argument(help: "The run's folder, or an adapter's.")
    var source: String

    @Option(help: "The format.")
    var format: Format

    @Option(help: "The folder to write, which must not exist or be empty.")
    var output: String

    @Option(help: "The base model's folder, if it is not where the adapter says; needed for merged only.")
    var model: String?

    func run() throws {
        try reportingErrors {
            let folder = TrainedModel.adapterFolder(source)
            let adapter = try Adapter(path: folder)
            let task = try TaskDescription(adapterFolder: folder, outputCount: adapter.outputCount)
            try writeOutputFolder(output) { partial in
                if let format = Adapter.Format(rawValue: format.rawValue) {
                    try adapter.write(format, to: partial, task: task)
                } else {
                    let base = try TrainedModel.baseModel(of: adapter, path: folder, override: model)
                    try adapter.writeMerged(to: partial, baseFolder: base, task: task)
                }
            }
            print(
                "\(output): \(format.rawValue), \(adapter.modules.reduce(0) { $0 + $1.rank }) triplets in \(adapter.modules.count) modules"
            )
        }
    }
}

/// Writes a folder that the user named, whole or not at all.
///
/// - Parameter path: must not exist, or be an empty folder.
private func writeOutputFolder(_ path: String, _ body: (_ partial: String) throws -> Void) throws {
    let manager = FileManager.default
    if manager.fileExists(atPath: path) {
        guard try manager.contentsOfDirectory(atPath: path).isEmpty else {
            throw TrainingError(
                .usage, "\(path): exists and is not an empty folder; nothing was written, name a new folder")
        }
    }
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    let partial = "\(trimmed).\(getpid()).partial"
    do {
        try body(partial)
        if manager.fileExists(atPath: path) { try manager.removeItem(atPath: path) }
        try manager.moveItem(atPath: partial, toPath: trimmed)
    } catch {
        try? manager.removeItem(atPath: partial)
        throw error
    }
}
