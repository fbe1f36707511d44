import ArgumentParser
import LinearAlgebra
import MessagePassing
import WeightFiles

/// `rankwise spectrum`.
struct SpectrumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract:
            "Show norms, ranks and row geometry of a file's matrices; alone, or under mpirun on several processes.",
        discussion: """
            For every matrix: Frobenius norm, largest singular value, effective rank (exp of the entropy of σ/Σσ), stable rank
            (‖W‖²_F/σ²_max), the singular values that hold 90 and 99 % of Σσ², the norms of the rows, φ½ (the share of rows longer
            than ½), and the mean squared cosine of all pairs of rows times the columns m, beside Welch's bound for it. Random rows
            give about 1.

              rankwise spectrum minilm/model.safetensors --tensors '*word_embeddings*'
              mpirun -np 4 rankwise spectrum minilm
            """)

    @Argument(help: "The safetensors file, or a model's folder.")
    var file: String

    @OptionGroup var tensors: TensorOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() {
        runJob(exitCode: exitStatus(of:)) { communicator in
            BLASLibrary.setThreads(1)
            let report = try SpectrumReport(path: file, patterns: tensors.patterns, communicator)
            if communicator.processIndex == 0 { try printLine(json ? jsonText(report) : report.text) }
            return 0
        }
    }
}
