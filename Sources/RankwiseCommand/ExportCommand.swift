import ArgumentParser
import Diagnostics
import Foundation
import Models
import PEFTFormat
import Safetensors
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
            merged       the base model with the adapter added to its weights, for transformers alone; an image model

            --drop-below and --budget make the adapter smaller; what that changes in ΔW is printed, by module and in all.
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

    @Option(help: "Leave out the triplets whose |λ| is below this.")
    var dropBelow: Float?

    @Option(help: "Leave this many triplets over all modules, the best for ΔW's Frobenius norm.")
    var budget: Int?

    func validate() throws {
        if dropBelow != nil && budget != nil { throw ValidationError("--drop-below and --budget exclude each other") }
        if let dropBelow, !(dropBelow.isFinite && dropBelow >= 0) {
            throw ValidationError("--drop-below is \(dropBelow), expected a number from 0")
        }
        if let budget, budget < 0 { throw ValidationError("--budget is \(budget), expected a number from 0") }
    }

    func run() throws {
        try reportingErrors {
            if TrainedImageModel.isWhole(source) { return try exportWholeModel() }
            let folder = try TrainedModel.requiredAdapterFolder(source)
            let whole = try Adapter(path: folder)
            var task = try TaskDescription(adapterFolder: folder, outputCount: whole.outputCount)
            let (adapter, change) = try reduced(whole, task: &task)
            try writeOutputFolder(output) { partial in
                if let format = Adapter.Format(rawValue: format.rawValue) {
                    try adapter.write(format, to: partial, task: task)
                    guard task.task == TaskDescription.imageClassification else { return }
                    try TrainedImageModel.copyTransform(from: folder, to: partial)
                } else {
                    let base = try TrainedModel.baseModel(of: adapter, path: folder, override: model)
                    try AdapterBase(adapterFolder: folder, folder: base).tellIfAnother()
                    guard task.task != TaskDescription.imageClassification else {
                        return try TrainedImageModel.writeMerged(
                            adapter, from: folder, labels: task.labels, baseFolder: base, to: partial)
                    }
                    try adapter.writeMerged(
                        to: partial, baseFolder: base, form: ModelFolder.mergedForm(path: base), task: task)
                }
            }
            print(
                "\(output): \(format.rawValue), \(adapter.modules.reduce(0) { $0 + $1.rank }) triplets in \(adapter.modules.count) modules"
            )
            if let change { print(change.table) }
        }
    }

    /// A network without an adapter, which is merged already.
    private func exportWholeModel() throws {
        guard format == .merged, dropBelow == nil, budget == nil else {
            throw TrainingError(
                .usage, "\(source): a whole network without an adapter; it can be exported with --format merged alone")
        }
        let trained = try TrainedImageModel(path: source)
        try writeOutputFolder(output) { try trained.write(to: $0) }
        print("\(output): merged, an image model of \(trained.labels.count) classes")
    }

    /// The adapter as the options make it smaller.
    private func reduced(
        _ adapter: Adapter, task: inout TaskDescription
    ) throws -> (adapter: Adapter, change: Adapter.Change?) {
        if let budget {
            // The triplets of the start are in ΔW's own triplets then.
            task.startingRank = nil
            return try adapter.cut(toBudget: budget)
        }
        guard let dropBelow else { return (adapter, nil) }
        guard task.startingRank == nil else {
            throw TrainingError(
                .usage,
                "\(source): training started with a part of the base's weights, so that no λ says how much its triplet changes; "
                    + "use --budget")
        }
        return adapter.dropping(below: dropBelow)
    }
}

/// Writes a folder that the user named, whole or not at all.
///
/// - Parameter path: must not exist, or be an empty folder.
func writeOutputFolder(_ path: String, _ body: (_ partial: String) throws -> Void) throws {
    try refuseFullFolder(path)
    let manager = FileManager.default
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    let partial = "\(trimmed).\(getpid()).partial"
    do {
        try body(partial)
        if manager.fileExists(atPath: path) { try manager.removeItem(atPath: path) }
        try DurableFile.rename(partial, to: trimmed)
    } catch {
        try? manager.removeItem(atPath: partial)
        throw error
    }
}

extension Adapter.Change {
    /// For people.
    fileprivate var table: String {
        let width = modules.map(\.path.count).max() ?? 0
        func line(_ path: String, _ before: Int, _ after: Int, _ relative: Double) -> String {
            path.padding(toLength: max(width, 6), withPad: " ", startingAt: 0)
                + String(format: "  %6d  %6d  %8.5f", before, after, relative)
        }
        let header =
            "module".padding(toLength: max(width, 6), withPad: " ", startingAt: 0) + "  before   after  ‖change‖/‖ΔW‖"
        return
            ([header] + modules.map { line($0.path, $0.before, $0.after, $0.relative) } + [
                line(
                    "all", modules.reduce(0) { $0 + $1.before }, modules.reduce(0) { $0 + $1.after }, relative)
            ]).joined(separator: "\n")
    }
}

/// - Throws: ``TrainingError`` (`usage`) if there is something other than an empty folder at the path.
func refuseFullFolder(_ path: String) throws(TrainingError) {
    let manager = FileManager.default
    guard manager.fileExists(atPath: path), (try? manager.contentsOfDirectory(atPath: path))?.isEmpty != true else {
        return
    }
    throw TrainingError(.usage, "\(path): exists and is not an empty folder; nothing was written, name a new folder")
}
