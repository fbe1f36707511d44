import ArgumentParser
import Foundation
import PEFTFormat
import Training

/// `rankwise inspect`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the ranks that an adapter's modules kept, layers by modules, with totals.")

    @Argument(help: "The run's folder, or an adapter's.")
    var source: String

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        try reportingErrors {
            let folder = try TrainedModel.requiredAdapterFolder(source)
            let adapter = try Adapter(path: folder)
            let task = try TaskDescription(adapterFolder: folder, outputCount: adapter.outputCount)
            let table = RankTable(
                adapter, startingRank: task.startingRank, sharedModules: task.sharedModules ?? [])
            print(json ? try jsonText(table) : table.text)
        }
    }
}

/// Kept ranks, by layer and module.
struct RankTable: Encodable {
    let totalRank: Int
    /// Triplets at the start.
    let initialTriplets: Int
    /// Triplets that each module holds beside these: those of the start, negated.
    let startingRank: Int?
    /// Modules that use the same triplets, which are counted once; nil where none do.
    let sharedModules: [[String]]?
    let ranks: [String: Int]
    let columns: [String]
    let rows: [Row]

    struct Row: Encodable {
        let layer: String
        /// In the order of the columns; nil where the layer has no such module.
        let ranks: [Int?]
        let total: Int
    }

    /// - Parameters:
    ///   - startingRank: triplets of each module that are those of the start.
    ///   - sharedModules: paths of modules that use the same triplets, which count once in the totals.
    init(_ adapter: Adapter, startingRank: Int? = nil, sharedModules: [[String]] = []) {
        let atStart = startingRank ?? 0
        var columns: [String] = []
        var layers: [String] = []
        var cells: [String: [String: Int]] = [:]
        for module in adapter.modules {
            let parts = module.path.split(separator: ".").map(String.init)
            // The layer's number divides a path into what comes before it and the module within the layer.
            let number = parts.firstIndex { Int($0) != nil }
            let layer = number.map { parts[$0] } ?? "–"
            let column = parts[(number.map { $0 + 1 } ?? 0)...].joined(separator: ".")
            if !columns.contains(column) { columns.append(column) }
            if !layers.contains(layer) { layers.append(layer) }
            cells[layer, default: [:]][column] = module.rank - atStart
        }
        self.columns = columns
        rows = layers.map { layer in
            let ranks = columns.map { cells[layer]?[$0] }
            return Row(layer: layer, ranks: ranks, total: ranks.reduce(0) { $0 + ($1 ?? 0) })
        }
        ranks = Dictionary(adapter.modules.map { ($0.path, $0.rank - atStart) }) { first, _ in first }
        let repeated = Set(sharedModules.flatMap { $0.dropFirst() })
        let counted = adapter.modules.filter { !repeated.contains($0.path) }
        totalRank = counted.reduce(0) { $0 + $1.rank - atStart }
        initialTriplets = counted.reduce(0) { $0 + $1.pattern.count - atStart }
        self.sharedModules = sharedModules.isEmpty ? nil : sharedModules
        self.startingRank = startingRank
    }

    enum CodingKeys: String, CodingKey {
        case totalRank = "total_rank"
        case initialTriplets = "initial_triplets"
        case startingRank = "start_rank"
        case sharedModules = "shared_modules"
        case ranks, columns, rows
    }

    /// For people.
    var text: String {
        let header = ["layer"] + columns + ["total"]
        let totals = columns.indices.map { column in rows.reduce(0) { $0 + ($1.ranks[column] ?? 0) } }
        let body =
            rows.map { [$0.layer] + $0.ranks.map { $0.map(String.init) ?? "" } + [String($0.total)] }
            + [["total"] + totals.map(String.init) + [String(totalRank)]]
        let widths = header.indices.map { column in ([header] + body).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { cell, width in String(repeating: " ", count: width - cell.count) + cell }
                .joined(separator: "  ")
        }
        return ([header] + body).map(line).joined(separator: "\n")
            + "\n\(totalRank) of \(initialTriplets) triplets kept"
            + (startingRank.map { "\neach module also holds its \($0) triplets of the start, negated" } ?? "")
    }
}
