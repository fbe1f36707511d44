import ArgumentParser
import Diagnostics
import Foundation
import LinearAlgebra
import MessagePassing
import Safetensors
import Text
import Training

/// `rankwise superposition`.
struct SuperpositionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "superposition",
        abstract: "Study how losses scale when a network holds more features than it has dimensions.",
        discussion: """
            The toy model of arXiv 2505.10465 over a grid of settings, the geometry of real embeddings, and power laws in tables:

              mpirun -np 2 rankwise superposition sweep --config sweep.yaml
              rankwise superposition analyze model.safetensors --tensor embeddings.word_embeddings.weight
              rankwise superposition fit sizes.tsv --x d_model --y parameters
            """,
        subcommands: [Sweep.self, Analyze.self, Fit.self])

    struct Sweep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Train a grid of toy networks, dealt to the processes of the job as they become free.",
            discussion: """
                The output folder then holds cells.jsonl (a line for each cell, the same for any number of processes and after
                any interruption), fits.jsonl and loss.svg.
                """)

        @Option(help: "The sweep, a YAML file.")
        var config: String?

        @Option(
            name: .customLong("set"),
            help: ArgumentHelp(
                "Replaces one key of the configuration, for instance steps=1000; may be repeated.",
                valueName: "key=value"))
        var overrides: [String] = []

        @Flag(help: "Keep the cells that are finished, and compute the others.")
        var resume = false

        @Flag(help: "Remove the earlier sweep in the output folder, and start over.")
        var overwrite = false

        @Flag(help: "Show all keys of the configuration.")
        var helpConfig = false

        func validate() throws {
            if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
            if config == nil && !helpConfig {
                throw ValidationError(
                    "--config is missing; give a YAML file, see 'rankwise superposition sweep --help-config' for its keys"
                )
            }
        }

        func run() throws {
            if helpConfig { return try printLine(SweepConfiguration.keysHelp) }
            let path = config ?? ""
            runJob(exitCode: exitStatus(of:)) { communicator in
                let configuration = try SweepConfiguration.broadcasted(path: path, overrides: overrides, communicator)
                let start: RunStart = resume ? .resume : overwrite ? .overwrite : .new
                if let summary = try SuperpositionSweep.run(configuration, start: start, communicator) {
                    try printLine(summary.text)
                }
                return 0
            }
        }
    }

    struct Analyze: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lengths and overlaps of the rows of a tensor: an embedding or a head, a row for each token.")

        @Argument(help: "A safetensors file, or a model's folder.")
        var source: String

        @Option(help: "The tensor, of two dimensions.")
        var tensor: String

        @Flag(help: "Print a JSON object.")
        var json = false

        func run() throws {
            try reportingErrors {
                let geometry = try TensorGeometry(source: source, tensor: tensor)
                try printLine(json ? jsonText(geometry) : geometry.text)
            }
        }
    }

    struct Fit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fit a power law to two columns of a table, by least squares of the logarithms.",
            discussion: """
                If a loss falls as y^-p, and y grows as x^e, the loss falls as x^-(e·p): --times p gives that product.

                  rankwise superposition fit sizes.tsv --x d_model --y parameters --times 0.35 --times-error 0.02
                """)

        @Argument(help: "A .tsv or .csv file with a header.")
        var file: String

        @Option(help: "The column of what is varied.")
        var x: String

        @Option(help: "The column of what follows.")
        var y: String

        @Option(help: "An exponent to multiply the fitted one by.")
        var times: Double?

        @Option(help: "The standard error of that exponent.")
        var timesError = 0.0

        @Flag(help: "Print a JSON object.")
        var json = false

        func validate() throws {
            guard times?.isFinite ?? true, timesError >= 0, timesError.isFinite else {
                throw ValidationError("expected finite numbers, and --times-error of 0 or more")
            }
        }

        func run() throws {
            try reportingErrors {
                let pairs = try NumberPairs(path: file, x: x, y: y)
                guard let law = PowerLaw(x: pairs.x, y: pairs.y) else {
                    throw TextError(
                        .badData,
                        "\(file): no power law fits; expected numbers above 0 in both columns, and two different '\(x)'"
                    )
                }
                let report = FitReport(
                    x: x, y: y, law: law, product: times.map { law.exponent(times: $0, error: timesError) })
                try printLine(json ? jsonText(report) : report.text)
            }
        }
    }
}

private func figure(_ value: Double, _ digits: Int = 4) -> String { String(format: "%.\(digits)f", value) }

private func figure(_ value: Double, error: Double?, _ digits: Int = 4) -> String {
    figure(value, digits) + (error.map { " ± " + figure($0, digits) } ?? "")
}

/// A fitted power law, to be shown.
private struct FitReport: Encodable {
    let x, y: String
    let rows: Int
    let exponent: Double
    let standardError: Double?
    let coefficient: Double
    let product: Double?
    let productStandardError: Double?

    init(x: String, y: String, law: PowerLaw, product: (value: Double, standardError: Double?)?) {
        (self.x, self.y) = (x, y)
        rows = law.pointCount
        exponent = law.exponent
        standardError = law.standardError
        coefficient = law.coefficient
        self.product = product?.value
        productStandardError = product?.standardError
    }

    var text: String {
        var lines = [oneLine("\(y) ∝ \(x)^e, \(rows) rows"), "e        \(figure(exponent, error: standardError))"]
        if let product { lines.append("product  \(figure(product, error: productStandardError))") }
        return lines.joined(separator: "\n")
    }
}

/// The geometry of a tensor's rows, to be shown.
private struct TensorGeometry: Encodable {
    let tensor: String
    let rows, columns: Int
    let normMin, normMean, normMax: Double
    let represented: Int
    let phiHalf: Double
    let meanSquareOverlap, overlapTimesColumns, welchBound: Double?

    init(source: String, tensor: String) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
        guard exists else { throw TextError(.missingInput, "\(source): no such file or folder") }
        let geometry =
            isFolder.boolValue
            ? try Self.geometry(of: tensor, in: TensorFolder(path: source), source)
            : try Self.geometry(of: tensor, in: SafetensorsFile(path: source), source)
        self.tensor = tensor
        rows = geometry.rows
        columns = geometry.columns
        normMin = geometry.smallestNorm
        normMean = geometry.meanNorm
        normMax = geometry.largestNorm
        represented = geometry.longRows
        phiHalf = geometry.longShare
        meanSquareOverlap = geometry.meanSquareOverlap
        overlapTimesColumns = geometry.meanSquareOverlap.map { $0 * Double(geometry.columns) }
        welchBound = geometry.welchBound
    }

    private static func geometry(
        of name: String, in tensors: some TensorSource, _ source: String
    ) throws -> RowGeometry {
        guard let description = tensors.tensor(named: name) else {
            let matrices = tensors.tensorNames.filter { tensors.tensor(named: $0)?.shape.count == 2 }
            let nearest = nearestName(to: name, among: matrices).map { "; did you mean '\($0)'?" } ?? ""
            throw TextError(
                .usage, "\(source): no tensor '\(name)' among \(tensors.tensorNames.count)\(nearest)")
        }
        let shape = description.shape
        guard shape.count == 2, shape.allSatisfy({ $0 <= Int(Int32.max) }) else {
            throw TextError(.usage, "\(source): tensor '\(name)' has shape \(shape), expected two dimensions")
        }
        if let floats = try tensors.mappedFloats(of: name, shape: shape), let base = floats.baseAddress {
            defer { withExtendedLifetime(tensors) {} }
            return try RowGeometry(of: MatrixView(base: base, rows: shape[0], columns: shape[1]))
        }
        let matrix = Matrix(rows: shape[0], columns: shape[1], elements: try tensors.floats(of: name, shape: shape))
        defer { withExtendedLifetime(matrix) {} }
        return try RowGeometry(of: matrix.view)
    }

    var text: String {
        let overlap = meanSquareOverlap.map { mean in
            String(
                format: "%.6g, times m %.4f; random directions 1/m = %.6g", mean, mean * Double(columns),
                1 / Double(columns))
        }
        return [
            oneLine("\(tensor): \(rows) rows of m = \(columns)"),
            "lengths           \(figure(normMin, 3)) / \(figure(normMean, 3)) / \(figure(normMax, 3)) (least, mean, most)",
            "longer than ½     \(represented), φ½ = \(figure(phiHalf))",
            "squared overlap   \(overlap ?? "–")",
            "Welch's bound     \(welchBound.map { String(format: "%.6g", $0) } ?? "–")",
        ].joined(separator: "\n")
    }
}

/// A file of tensors, or a folder of such files.
private protocol TensorSource {
    var tensorNames: [String] { get }
    func tensor(named name: String) -> TensorDescription?
    func mappedFloats(of name: String, shape: [Int]) throws(SafetensorsError) -> UnsafeBufferPointer<Float>?
    func floats(of name: String, shape: [Int]) throws(SafetensorsError) -> [Float]
}

extension SafetensorsFile: TensorSource {}
extension TensorFolder: TensorSource {}

extension SuperpositionSweep.Summary {
    /// A row for each fit.
    fileprivate var text: String {
        let header = ["alpha", "gamma", "n", "cells", "exponent", "unrepresented", "φ½", "overlap²·m"]
        let rows = fits.map { fit in
            [
                String(format: "%g", fit.alpha), String(format: "%g", fit.gamma), "\(fit.n)", "\(fit.cells)",
                figure(fit.exponent, error: fit.standardError, 3),
                fit.unrepresentedExponent.map { figure($0, 3) } ?? "–",
                range(fit.smallestPhiHalf, fit.largestPhiHalf),
                fit.smallestOverlapTimesM.flatMap { low in fit.largestOverlapTimesM.map { range(low, $0) } } ?? "–",
            ]
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .replacing(/\s+$/, with: "")
        }
        return ((rows.isEmpty ? [] : ([header] + rows).map(line)) + ["\(cells) cells: \(linesPath), \(figurePath)"])
            .joined(separator: "\n")
    }

    private func range(_ low: Double, _ high: Double) -> String { String(format: "%.3f…%.3f", low, high) }
}
