import ArgumentParser
import Diagnostics
import Factoring
import Factorization
import Foundation
import LinearAlgebra
import MessagePassing
import Safetensors

/// `rankwise factor`.
struct FactorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "factor",
        abstract: "Factor a matrix into two of low rank, or three; alone, or under mpirun on several processes.",
        discussion: """
            The matrix is a tensor of a .safetensors file, a .npy file, or lines 'row TAB column TAB value' of any other:

              rankwise factor model.safetensors --tensor embeddings.weight --energy 0.9 --output factors.safetensors
              mpirun -np 2 rankwise factor words.tsv --sigma-above 1000 --method gram --derive 100 --output words.safetensors

            Methods of M ≈ A·B:
              svd          the whole singular value decomposition, on one process; the most accurate
              gram         from the Gram matrix, which the processes sum; quicker, and exact to about 1e-8 of the largest
              randomized   subspace iteration; quick for a small rank; ends with an error where it does not converge
              autoencoder  M ≈ M·C·D trained by AdamW on batches of rows, A = M·C and B = D

            The output has the same bytes for any number of processes.
            """)

    enum Method: String, ExpressibleByArgument, CaseIterable {
        case svd, gram, randomized, autoencoder
    }

    enum ElementKind: String, ExpressibleByArgument, CaseIterable {
        case float32, float64
    }

    @Argument(help: "The matrix.")
    var input: String

    @Option(help: "Which tensor of a .safetensors file.")
    var tensor: String?

    @Option(help: "The file of the factors, a safetensors file, which must not exist.")
    var output: String

    @Option(help: "The rank of the factors.")
    var rank: Int?

    @Option(help: "Keep the singular values above a number.")
    var sigmaAbove: Double?

    @Option(help: "Keep as few singular values as hold this share of the energy, from 0 to 1.")
    var energy: Double?

    @Option(help: "Clusters of rows: M ≈ A·P·Q, with --column-clusters.")
    var rowClusters: Int?

    @Option(help: "Clusters of columns.")
    var columnClusters: Int?

    @Option(help: "svd, gram, randomized or autoencoder.")
    var method = Method.svd

    @Flag(help: "Set negative entries of the reconstruction to 0, and report the error with it and without.")
    var relu = false

    @Option(help: "Give the so many largest entries of the reconstruction that are 0 in the matrix.")
    var derive: Int?

    @Option(help: "Give the entries of the reconstruction from this number on that are 0 in the matrix.")
    var deriveAbove: Double?

    @Option(help: "The file of these entries, which must not exist; without it they are printed.")
    var derived: String?

    @Option(help: "Numbers of the factors: float32 or float64; as the matrix, if not given.")
    var type: ElementKind?

    @Option(help: "Seed of randomized and autoencoder.")
    var seed: UInt64 = 0

    @Option(help: "Iterations of randomized at most.")
    var iterations = 30

    @Option(help: "Steps of the autoencoder.")
    var steps = 2_000

    @Option(help: "Rows of a batch of the autoencoder; all rows, up to 1024, if not given.")
    var batchSize: Int?

    @Option(help: "Learning rate of the autoencoder; 0.1/√columns, if not given.")
    var learningRate: Double?

    @Option(help: "Threads that each process uses for products and decompositions.")
    var threads = 1

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        let choices = [rank != nil, sigmaAbove != nil, energy != nil, rowClusters != nil || columnClusters != nil]
        guard choices.count(where: { $0 }) == 1 else {
            throw ValidationError(
                "expected one of --rank, --sigma-above, --energy, or --row-clusters with --column-clusters")
        }
        guard (rowClusters == nil) == (columnClusters == nil), rowClusters ?? 1 >= 1, columnClusters ?? 1 >= 1 else {
            throw ValidationError("--row-clusters and --column-clusters go together, 1 at least each")
        }
        if method == .autoencoder, rank == nil {
            throw ValidationError("--method autoencoder needs --rank: it knows no singular values")
        }
        if let derive, derive < 1 { throw ValidationError("--derive is \(derive); expected 1 entry at least") }
        if let deriveAbove, !(deriveAbove >= 0) || !deriveAbove.isFinite {
            throw ValidationError("--derive-above is \(deriveAbove); expected a finite number from 0")
        }
        if derived != nil, derive == nil, deriveAbove == nil {
            throw ValidationError("--derived is given without --derive or --derive-above")
        }
        if let learningRate, !(learningRate > 0) || !learningRate.isFinite {
            throw ValidationError("--learning-rate is \(learningRate); expected a number above 0")
        }
        guard threads >= 1, iterations >= 1, steps >= 1, batchSize ?? 1 >= 1 else {
            throw ValidationError("--threads, --iterations, --steps and --batch-size: expected 1 at least")
        }
    }

    private var choice: RankChoice {
        if let sigmaAbove { return .sigmaAbove(sigmaAbove) }
        if let energy { return .energy(energy) }
        return .rank(rank ?? max(rowClusters ?? 1, columnClusters ?? 1))
    }

    private var wanted: Reconstruction.Wanted {
        derive == nil && deriveAbove == nil ? .none : .init(most: derive ?? .max, least: deriveAbove ?? 0)
    }

    func run() throws {
        runJob(exitCode: exitStatus(of:)) { communicator in
            BLASLibrary.setThreads(threads)
            for path in [output, derived].compactMap({ $0 }) { try DurableFile.refuseExisting(path) }
            let start = ContinuousClock.now
            let isCoordinator = communicator.processIndex == 0
            func tell(_ message: String) { if isCoordinator { tellUser(message) } }
            let source = try NamedMatrix(path: input, tensor: tensor)
            try requireAgreement(on: source.digest, "the matrix (SHA-256)", communicator)
            let matrix = ShardedMatrix(source.matrix, group: try JobGroup(communicator))
            tell(
                "\(source.source): \(matrix.rows) × \(matrix.columns), \(method.rawValue) on \(communicator.processCount) "
                    + "process\(communicator.processCount == 1 ? "" : "es")")
            let factors: Factors
            switch method {
            case .svd:
                tell("singular value decomposition (LAPACK dgesdd, one process)")
                factors = try matrix.singularFactors(choice)
            case .gram: factors = try matrix.gramFactors(choice, progress: tell)
            case .randomized:
                var settings = RandomizedSettings(seed: seed)
                settings.iterations = iterations
                factors = try matrix.randomizedFactors(choice, settings: settings, progress: tell)
            case .autoencoder:
                let settings = AutoencoderSettings(
                    seed: seed, steps: steps, batchSize: batchSize, learningRate: learningRate)
                factors = try autoencoderFactors(of: matrix, rank: rank ?? 1, settings: settings, communicator) {
                    step, loss in
                    tell("step \(step)/\(steps)  loss \(String(format: "%.8f", loss)) of ‖M‖²")
                }
            }
            if let remark = factors.remark { tell(remark) }
            let clusters = try rowClusters.flatMap { rows in
                try columnClusters.map { try ClusteredFactors(factors, rowCount: rows, columnCount: $0) }
            }
            let parts =
                clusters.map { [("A", $0.rowClusters), ("P", $0.matching), ("Q", $0.columnClusters)] }
                ?? [("A", factors.left), ("B", factors.right)]
            tell("reconstruction")
            let reconstruction = try matrix.reconstruction(
                left: clusters?.matchedRows ?? factors.left, right: clusters?.columnClusters ?? factors.right,
                wanted: wanted)
            guard isCoordinator else { return 0 }
            let kind = type ?? (source.isSinglePrecision ? .float32 : .float64)
            try FactorFile.write(
                parts, singularValues: clusters == nil ? factors.singularValues : [], names: source,
                elementType: kind == .float64 ? .float64 : .float32,
                metadata: [
                    "method": method.rawValue, "product": relu ? "relu(\(letters(parts)))" : letters(parts),
                    "relative_error": String(relu ? reconstruction.rectifiedError : reconstruction.relativeError),
                ], to: output)
            if let derived { try FactorFile.write(reconstruction.derived, names: source, to: derived) }
            let report = FactorReport(
                source: source, factors: factors, clusters: clusters, parts: parts, reconstruction: reconstruction,
                method: method.rawValue, usesReLU: relu, derivesAbove: deriveAbove,
                derives: derive != nil || deriveAbove != nil, showsDerived: derived == nil,
                output: output, seconds: (ContinuousClock.now - start) / .seconds(1))
            try printLine(json ? jsonText(report) : report.text)
            return 0
        }
    }

    private func letters(_ parts: [(String, DoubleMatrix)]) -> String { parts.map(\.0).joined(separator: "·") }
}
